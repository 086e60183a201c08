"""Changes of what a judge sees that should leave its verdict: format, padding, and the order of two answers."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.content import Content
from tracegauge.judging.scale import is_pairwise
from tracegauge.results.judgement import Value

PADDING = (
    " I hope this answers your question. Please let me know if anything is unclear, and I will gladly go over it "
    "again. Thank you for asking, and do not hesitate to come back with further questions."
)
"""Politeness that adds nothing."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SWAPPED = {"A>B": "B>A", "B>A": "A>B"}


@dataclass(frozen=True)
class Change:
    """One way to change a content."""

    name: Literal["formatting", "padding", "swapped"]
    description: str
    apply: Callable[[Content], Content | None]
    """None for a content that can't be changed in this way."""
    undo: Callable[[Value], Value] = lambda value: value
    """The verdict on the unchanged content that a verdict on the changed one stands for."""
    cannot: str = "the judge sees no answer as text"
    """Why no content can be changed, if none can."""


def changes_for(spec: JudgeSpec) -> tuple[Change, ...]:
    """The changes that are tried on a judge."""
    if is_pairwise(spec):
        swapped = Change(
            "swapped",
            "answers A and B in the place of each other",
            lambda content: _with_outputs(spec, content, _swap),
            lambda verdict: _SWAPPED.get(str(verdict), verdict),
            'no outputs are a JSON object with the keys "A" and "B"',
        )
        return (swapped,)
    return (
        Change("formatting", "each sentence as an item of a Markdown list", lambda c: _with_outputs(spec, c, _as_list)),
        Change("padding", "polite words at the end that add nothing", lambda c: _with_outputs(spec, c, _pad)),
    )


def _with_outputs(spec: JudgeSpec, content: Content, change: Callable[[str], str | None]) -> Content | None:
    changed = None if content.outputs is None else change(content.outputs)
    if changed is None or changed == content.outputs:
        return None
    # A panel would let its members look into the traces again.
    return replace(content, outputs=changed, traces=() if spec.kind == "panel" else content.traces)


def _as_list(text: str) -> str | None:
    if _is_json(text):
        return None
    return "\n".join(f"- {sentence}" for sentence in _SENTENCE_END.split(text.strip()) if sentence)


def _pad(text: str) -> str | None:
    return None if _is_json(text) or not text.strip() else text.rstrip() + PADDING


def _swap(text: str) -> str | None:
    try:
        answers = json.loads(text)
    except json.JSONDecodeError:
        return None
    if not isinstance(answers, dict) or answers.keys() != {"A", "B"}:
        return None
    return json.dumps({"A": answers["B"], "B": answers["A"]}, ensure_ascii=False)


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")
