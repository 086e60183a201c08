"""Traces whose root is in another process."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from mlflow.entities import TraceInfo, TraceState
from mlflow.tracing import provider
from mlflow.tracing.trace_manager import InMemoryTraceManager
from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracegauge.tracking.compat.async_export import hand_on_span_batches

_remote_traces: Counter[int] = Counter()


_remote_traces_lock = threading.Lock()


def trace_headers() -> dict[str, str]:
    """HTTP headers (W3C trace context) that make spans of another process children of the active span."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context=provider.get_current_context())
    return headers


@contextmanager
def remote_parent(headers: Mapping[str, str]) -> Iterator[None]:
    """Let spans be children of a span in another process, as its `trace_headers` tell.

    `mlflow.tracing.set_tracing_context_from_http_request_headers` does this for one request at a time: where a process
    serves several requests of one trace at once, the first that ends takes the others' spans with it. Here the last
    one tidies up. From 3.10, spans that are on their way would be dropped with the trace: they are handed on first.
    """
    context = TraceContextTextMapPropagator().extract(headers)
    otel_trace_id = get_current_span(context).get_span_context().trace_id
    if not otel_trace_id:
        yield
        return
    trace_id, manager = generate_mlflow_trace_id_from_otel_trace_id(otel_trace_id), InMemoryTraceManager.get_instance()
    with _remote_traces_lock:
        with manager.get_trace(trace_id) as known:
            is_ours = known is not None and not known.is_remote_trace  # caller and called are one process
        if not is_ours:
            if not _remote_traces[otel_trace_id]:
                info = TraceInfo(trace_id, trace_location=None, request_time=None, state=TraceState.IN_PROGRESS)
                manager.register_trace(otel_trace_id, info, is_remote_trace=True)
            _remote_traces[otel_trace_id] += 1
    token = provider.get_context_api().attach(context)
    try:
        yield
    finally:
        with suppress(ValueError):
            provider.get_context_api().detach(token)
        if not is_ours:
            hand_on_span_batches()
            with _remote_traces_lock:
                _remote_traces[otel_trace_id] -= 1
                if not _remote_traces[otel_trace_id]:
                    del _remote_traces[otel_trace_id]
                    manager.pop_trace(otel_trace_id)
