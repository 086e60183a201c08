"""One trace across processes, by HTTP headers."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from tracegauge.tracking.compat.remote_traces import remote_parent, trace_headers

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""Headers of a request: a mapping, such as those of Starlette, FastAPI and Flask, or pairs, as in an ASGI scope."""

_TRACE_CONTEXT = ("traceparent", "tracestate")


def outgoing_headers() -> dict[str, str]:
    """Headers to send with a request; empty where no span is active."""
    return trace_headers()


def incoming(headers: Headers) -> AbstractContextManager[None]:
    """What starts inside is a child of the caller's span. Without (valid) trace headers it is a trace of its own."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    texts = {_text(name).lower(): _text(value) for name, value in pairs}
    context = {name: texts[name] for name in _TRACE_CONTEXT if name in texts}
    return remote_parent(context) if "traceparent" in context else nullcontext()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
