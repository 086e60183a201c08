"""MLflow's asynchronous export: its two queues and their threads."""

import time
from typing import Any

from mlflow.tracing.processor import base_mlflow

from tracegauge.tracking.compat.tracer_provider import current_exporter


def flush_async_export(timeout_s: float | None) -> int:
    """Wait until MLflow's asynchronous export is idle; returns how many whole traces it still holds.

    `mlflow.flush_trace_async_logging()` stops and restarts the queue's threads, which takes up to one second when the
    queue is idle, and knows no timeout. Waiting for the queue's own count of unfinished tasks has neither flaw.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    hand_on_span_batches()
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


def hand_on_span_batches() -> None:
    """Hand spans that wait in OpenTelemetry's batch processor (MLflow 3.10 and later) on to MLflow's export queue."""
    for processor in tuple(getattr(base_mlflow, "_batch_processor_registry", ())):
        processor.force_flush()


def stop_async_export(exporter: Any) -> None:
    """End the threads of an exporter that no tracer provider uses any more; MLflow 3.9 leaves them running."""
    queue = getattr(exporter, "_async_queue", None)
    if queue is not None:
        queue.flush(terminate=True)
