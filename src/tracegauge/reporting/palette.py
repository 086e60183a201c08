"""One colour and one marker per instrument, the same in every figure of every report, safe for colour-blind readers.

The colours are those of Okabe & Ito (2008), "Color Universal Design", with a grey in place of black, which would vanish
on a dark page; vermillion is kept for what is wrong. Instruments that others plug in get colours by their name, so that
they keep them between reports.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

GREY, BLUE, VERMILLION, GREEN = "#767680", "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"


@dataclass(frozen=True)
class Style:
    """How an instrument is drawn. The marker is matplotlib's name of it."""

    colour: str
    marker: str


BUILT_IN = {
    "off": Style(GREY, "o"),
    "legacy_runs": Style(PURPLE, "s"),
    "manual_spans": Style(GREEN, "^"),
    "autolog": Style(BLUE, "D"),
}

# After Okabe & Ito's remaining two: Tol's "muted" scheme (2021, "Colour schemes", SRON/EPS/TN/09-002).
_FURTHER = [
    Style(colour, marker)
    for colour, marker in zip(
        [ORANGE, SKY, "#332288", "#882255", "#999933", "#44AA99", "#AA4499", "#6699CC", "#CC6677", "#117733"],
        ["v", "P", "X", "<", ">", "p", "h", "d", "*", "8"],
        strict=True,
    )
]

VERDICT_COLOURS = {"PASS": BLUE, "REGRESSED": VERMILLION, "INCONCLUSIVE": GREY}
VERDICT_MARKERS = {"PASS": "o", "REGRESSED": "X", "INCONCLUSIVE": "d"}
FAILED = VERMILLION


def styles(instruments: Iterable[str]) -> dict[str, Style]:
    """A style for each instrument. Two further instruments share one only if there are more than ten of them."""
    chosen: dict[str, Style] = {}
    taken: set[int] = set()
    for name in sorted(set(instruments)):
        if name in BUILT_IN:
            chosen[name] = BUILT_IN[name]
            continue
        place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % len(_FURTHER)
        while place in taken and len(taken) < len(_FURTHER):
            place = (place + 1) % len(_FURTHER)
        taken.add(place)
        chosen[name] = _FURTHER[place]
    return chosen
