"""Matching the ids of two runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracegauge.config.errors import ConfigError, nearest


@dataclass(frozen=True)
class Matched:
    """Which id of the base each id of the candidate is compared with."""

    pairs: tuple[tuple[str, str], ...]
    """(in the base, in the candidate), in the order of the candidate."""
    missing: tuple[str, ...]
    """Of the base, without a counterpart."""
    new: tuple[str, ...]
    """Of the candidate, without a counterpart."""


def match_ids(base: Sequence[str], candidate: Sequence[str], renamed: Iterable[str] = ()) -> Matched:
    """Ids match that are the same, or that `old=new` says are.

    Raises ConfigError for a renaming that is none, or that names what the runs don't have, and where nothing matches.
    """
    old_of = dict(_renaming(text, base, candidate) for text in renamed)
    taken = set(old_of.values())
    pairs = []
    for new in candidate:
        old = old_of.get(new, new)
        if old in base and (new in old_of or old not in taken):
            pairs.append((old, new))
    if not pairs:
        shown = ", ".join(base[:3]) + (", …" if len(base) > 3 else "")
        raise ConfigError(
            f"nothing can be compared: none of the {len(candidate)} ids of the candidate is in the base",
            hint=f"the base has {shown or 'no ids'}; --rename old=new matches ids that have changed",
        )
    matched_old, matched_new = {old for old, _ in pairs}, {new for _, new in pairs}
    return Matched(
        tuple(pairs),
        tuple(one for one in base if one not in matched_old),
        tuple(one for one in candidate if one not in matched_new),
    )


def _renaming(text: str, base: Sequence[str], candidate: Sequence[str]) -> tuple[str, str]:
    """(new, old). Ids may contain "=" themselves: the place counts where both sides exist."""
    splits = [(text[:i], text[i + 1 :]) for i, character in enumerate(text) if character == "="]
    if not splits:
        raise ConfigError(f"--rename {text!r} renames nothing", hint="write --rename old=new")
    for old, new in splits:
        if old in base and new in candidate:
            return new, old
    old, new = splits[0]
    if old not in base:
        raise ConfigError(f"--rename {text!r}: the base has no {old!r}", hint=nearest(old, base))
    raise ConfigError(f"--rename {text!r}: the candidate has no {new!r}", hint=nearest(new, candidate))
