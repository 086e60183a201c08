"""The tracer provider that MLflow builds: its span processors and its exporter."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mlflow.entities.span
from mlflow.tracing import provider
from mlflow.tracing.export import mlflow_v3

logger = logging.getLogger("tracegauge.tracking")


def reset_tracer_provider() -> None:
    """Have MLflow build its span processor and exporter anew, from the settings of now, at the next span.

    3.17 exports what the outgoing processor has queued; earlier versions export it from the old one's threads.
    """
    provider.reset()


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


def exporter_class_in_use() -> Any:
    """The class, or function, with which MLflow builds its exporters."""
    return mlflow_v3.MlflowV3SpanExporter


@contextmanager
def exporter_class(make_exporter: Any) -> Iterator[None]:
    """Have MLflow build its exporters with `make_exporter(tracking_uri)`, whenever it builds its span processors.

    It does so at `mlflow.set_tracking_uri`, `mlflow.tracing.set_destination`, `reset` and `enable`, and (3.9) around
    each function that it does not want traced: an exporter put into one tracer provider would not live long.
    """
    before = mlflow_v3.MlflowV3SpanExporter
    mlflow_v3.MlflowV3SpanExporter = make_exporter
    try:
        yield
    finally:
        mlflow_v3.MlflowV3SpanExporter = before


@contextmanager
def also_processing_spans(processor: Callable[[Any], None]) -> Iterator[None]:
    """Call this for every span that ends, after MLflow has called the processors that are configured.

    Not as one of those: `mlflow.tracing.configure(span_processors=...)` replaces them all, at any time.
    """
    configured = mlflow.entities.span.apply_span_processors

    def apply_span_processors(span: Any) -> None:
        configured(span)
        try:
            processor(span)
        except Exception:  # as MLflow does with those that are configured
            logger.warning("a span could not be filtered, and is stored empty", exc_info=True)

    mlflow.entities.span.apply_span_processors = apply_span_processors
    try:
        yield
    finally:
        mlflow.entities.span.apply_span_processors = configured
