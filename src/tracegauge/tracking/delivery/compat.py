"""What the deliveries use of MLflow's private parts, and how it differs between versions."""

import time
from typing import Any

from mlflow.tracing import provider


def rebuild_tracer_provider() -> None:
    """Make MLflow build its span processors anew, with the settings of now.

    `mlflow.tracing.reset()` would do that too, but it also forgets the user's trace destination and span processors.
    Where the user has disabled tracing, it stays disabled.
    """
    if provider.is_tracing_enabled():
        provider._initialize_tracer_provider()
        provider.provider.once._done = True


def current_exporter() -> Any | None:
    """The exporter behind MLflow's tracer provider; None where it has none yet, or tracing is disabled."""
    if not provider.provider.once._done:
        return None
    processors = getattr(getattr(provider.provider.get(), "_active_span_processor", None), "_span_processors", ())
    exporters = (getattr(processor, "span_exporter", None) for processor in processors)
    return next((exporter for exporter in exporters if hasattr(exporter, "_export_traces")), None)


def flush_async_export(timeout_s: float | None) -> int:
    """Wait until MLflow's asynchronous export is idle; returns how many whole traces it still holds.

    `mlflow.flush_trace_async_logging()` stops and restarts the queue's threads, which takes up to one second when the
    queue is idle, and knows no timeout. Waiting for the queue's own count of unfinished tasks has neither flaw.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    _flush_span_batches()
    queue = getattr(current_exporter(), "_async_queue", None)
    if queue is None:
        return 0
    tasks = queue._queue
    with tasks.all_tasks_done:
        while tasks.unfinished_tasks:
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                held = [task.handler.__name__ for task in tasks.queue]
                return max(1, held.count("_log_trace"))
            tasks.all_tasks_done.wait(remaining)
    return 0


def _flush_span_batches() -> None:
    """Hand spans that wait in OpenTelemetry's batch processor (MLflow 3.10 and later) on to MLflow's export queue."""
    from mlflow.tracing.processor import base_mlflow

    for processor in tuple(getattr(base_mlflow, "_batch_processor_registry", ())):
        processor.force_flush()


def stop_async_export(exporter: Any) -> None:
    """End the threads of an exporter that no tracer provider uses any more; MLflow 3.9 leaves them running."""
    queue = getattr(exporter, "_async_queue", None)
    if queue is not None:
        queue.flush(terminate=True)
