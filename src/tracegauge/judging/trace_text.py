"""A trace as a text that a model can read: its spans as a tree, with what went in and came out of each."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from mlflow.entities import Span, Trace

from tracegauge.judging.extract import as_text

_FIRST_LIMIT = 20_000
_SMALLEST_LIMIT = 100


def trace_text(trace: Trace, span_types: Collection[str], max_chars: int) -> str | None:
    """The spans of these types (all, if none are named), indented below the span they belong to.

    Values are cut, each to the same length, until the whole has at most `max_chars` characters; what is left out is
    told. Where even short values don't fit, the text is longer than that. None if there are no such spans.
    """
    spans = _in_order(trace, span_types)
    if not spans:
        return None
    parts = [(depth, _heading(span), _values(span)) for depth, span in spans]
    limit = _FIRST_LIMIT
    while True:
        text = "\n".join(_block(depth, heading, values, limit) for depth, heading, values in parts)
        if len(text) <= max_chars or limit <= _SMALLEST_LIMIT:
            return text
        limit //= 2


def _in_order(trace: Trace, span_types: Collection[str]) -> list[tuple[int, Span]]:
    """Spans with the depth at which they are shown; children by their start, below their nearest shown ancestor."""
    known = {span.span_id for span in trace.data.spans}
    children: dict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(trace.data.spans, key=lambda one: one.start_time_ns or 0):
        children[span.parent_id if span.parent_id in known else None].append(span)
    shown: list[tuple[int, Span]] = []
    waiting = [(0, span) for span in reversed(children[None])]
    while waiting:
        depth, span = waiting.pop()
        below = depth
        if not span_types or span.span_type in span_types:
            shown.append((depth, span))
            below += 1
        waiting.extend((below, child) for child in reversed(children[span.span_id]))
    return shown


def _heading(span: Span) -> str:
    status = getattr(span.status.status_code, "value", span.status.status_code)
    took = ""
    if span.start_time_ns is not None and span.end_time_ns is not None:
        took = f", {(span.end_time_ns - span.start_time_ns) / 1e6:.0f} ms"
    return f"{span.name} [{span.span_type}, {status}{took}]"


def _values(span: Span) -> list[tuple[str, str]]:
    named: list[tuple[str, Any]] = [("inputs", span.inputs), ("outputs", span.outputs)]
    for event in span.events:
        message = (event.attributes or {}).get("exception.message")
        if message:
            named.append(("error", message))
    return [(name, text) for name, value in named if (text := as_text(value)) is not None]


def _block(depth: int, heading: str, values: list[tuple[str, str]], limit: int) -> str:
    margin = "  " * depth
    return "\n".join([f"{margin}- {heading}", *(f"{margin}  {name}: {_cut(text, limit)}" for name, text in values)])


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]} [… {len(text) - head - tail:,} characters left out …] {text[-tail:]}"
