"""How every figure looks, and how it is written as PNG and as SVG for a page."""

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

INK, MUTED, LINE, PAPER, ALARM = "#1c1d21", "#5c5e68", "#d6d7dd", "#fefefe", "#a63603"
"""Of text and lines; no instrument's colour is among them, so that each can be replaced by a page's own."""
SIZE, SMALL = 9.0, 8.0
PNG_DPI = 200
"""Twice the 100 dots per inch at which a figure has its natural size."""
PNG_HEIGHT = 5000
"""Dots beyond which a figure with very many rows gets fewer dots per inch."""
_MEASURED_DPI = 288

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are the same everywhere
    "font.size": SIZE,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.titley": 1.03,  # a fixed place: finding a free one takes longer than all the rest
    "axes.grid.axis": "x",
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a workflow may be called a_$b$
    "text.hinting": "none",  # nothing to see at this resolution, and twice as fast
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "tracegauge",
}

_CSS_COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    PAPER: "var(--paper)",
    ALARM: "var(--regressed)",
}
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_PROLOGUE = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>\s*", re.DOTALL)
_SIZE_ATTRIBUTES = re.compile(r'(<svg[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"')


@contextmanager
def styled() -> Iterator[None]:
    """A context in which figures are made and written."""
    with rc_context(_RC), _missing_letters_untold():
        yield


@contextmanager
def _missing_letters_untold() -> Iterator[None]:
    """No warnings about names in letters that the font lacks: browsers have fonts for an SVG's, a PNG has boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def png_bytes(figure: Figure) -> bytes:
    """The figure at twice its natural size, on white; the same figure gives the same bytes."""
    dpi = min(PNG_DPI, PNG_HEIGHT / figure.get_figheight())
    with styled(), io.BytesIO() as buffer:
        figure.savefig(
            buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None},
            pil_kwargs={"compress_level": 3},
        )  # fmt: skip
        return buffer.getvalue()


def inline_svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element for a page: transparent, its text as text, its inks taken from the page's CSS
    variables so that it follows light and dark, its ids prefixed with `name` so that figures don't share any."""
    with styled(), io.StringIO() as buffer:
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        svg = buffer.getvalue()
    svg = _PROLOGUE.sub("", svg)
    svg = _ID.sub(rf"\g<1>{name}-", svg)
    for ink, variable in _CSS_COLOURS.items():
        svg = svg.replace(ink, variable)
    return _SIZE_ATTRIBUTES.sub(r'\1 style="width: \2pt"', svg, count=1)


def standalone_svg(figure: Figure) -> str:
    """The figure as an SVG file, on white, its text as text."""
    with styled(), io.StringIO() as buffer:
        figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Width in inches of a line of text."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    font.set_size(size, _MEASURED_DPI)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)  # as wide as high, in other fonts
    with _missing_letters_untold():
        font.set_text("".join(letter for letter in text if unicodedata.east_asian_width(letter) not in "WF"))
    return float(font.get_width_height()[0]) / 64 / _MEASURED_DPI + wide * size / 72


def elide(text: str, limit: int) -> str:
    """The text, with its middle left out where it is longer than `limit` characters: both ends tell names apart."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[-(limit - 1 - head) :]}"
