"""Traces of this process that have not ended, or still wait for late spans."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mlflow.entities import Span
from mlflow.tracing.trace_manager import InMemoryTraceManager


@contextmanager
def trace_under_way(trace_id: str) -> Iterator[Any]:
    """MLflow's record of a trace that has not ended (`info`, `span_dict`), locked; None if there is none."""
    with InMemoryTraceManager.get_instance().get_trace(trace_id) as trace:
        yield trace


def is_under_way_here(otel_trace_id: int) -> bool:
    """Whether this process has the trace's root, and still waits for it (or for its late spans) to end."""
    manager = InMemoryTraceManager.get_instance()
    with manager.get_trace(manager.get_mlflow_trace_id_from_otel_id(otel_trace_id)) as trace:
        return trace is not None and not trace.is_remote_trace


def anything_under_way() -> bool:
    """Whether this process is in the middle of a trace. Takes no lock, which a fork might find taken."""
    return bool(InMemoryTraceManager.get_instance()._otel_id_to_mlflow_trace_id)


def unfinished_traces() -> Sequence[tuple[str, str | None, Sequence[Span]]]:
    """Traces whose root has not ended: their id, their experiment, and those of their spans that have ended."""
    manager = InMemoryTraceManager.get_instance()
    with manager._lock:
        traces = list(manager._traces.values())
    return [
        (
            trace.info.trace_id,
            trace.info.experiment_id if trace.info.trace_location else None,
            [span.to_immutable_span() for span in list(trace.span_dict.values()) if span.end_time_ns is not None],
        )
        for trace in traces
    ]


def roots_that_wait(exporter: Any) -> bool:
    """Whether roots have ended whose traces (MLflow 3.12 and later) still wait for late spans."""
    return bool(getattr(exporter, "_deferred_root_spans", None))


def release_waiting_traces(exporter: Any | None) -> None:
    """Have MLflow 3.12 and later hand over traces whose root has ended, but which still wait for late spans."""
    if exporter is not None and hasattr(exporter, "_deferred_root_spans"):
        exporter.shutdown()
