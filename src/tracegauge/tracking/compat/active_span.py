"""Making spans active, and inactive again."""

from contextlib import suppress
from typing import Any

from mlflow.entities import NoOpSpan
from mlflow.tracing import provider
from opentelemetry.trace import NonRecordingSpan, SpanContext

# What TraceIdRatioBased drops at any rate below 1: its lower 64 bits are above every bound.
_NOT_SAMPLED = NonRecordingSpan(SpanContext(trace_id=(1 << 128) - 1, span_id=1, is_remote=False))


def attach_span(span: Any) -> Any:
    """Make the span the active one of this context; the token is for `detach_span`.

    At 3.9 a span that was not sampled knows no context, and what starts below it would be sampled anew, as traces of
    their own: there it gets one that is dropped too.
    """
    if isinstance(span, NoOpSpan) and span._span.get_span_context() is None:
        return provider.set_span_in_context(_NotSampled)
    return provider.set_span_in_context(span)


class _NotSampled:
    """What `set_span_in_context` needs of a span."""

    _span = _NOT_SAMPLED


def detach_span(token: Any) -> None:
    """Undo `attach_span`. A token of another context, as left by generators closed elsewhere, is no error."""
    with suppress(ValueError):
        provider.detach_span_from_context(token)
