"""MLflow's exporter with its last step replaced (`HandingOverExporter`) or looked at (`WatchedExporter`)."""

import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from mlflow.entities import Span, Trace
from mlflow.tracing.constant import SpanAttributeKey
from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
from mlflow.tracing.utils import get_experiment_id_for_trace, get_otel_attribute, maybe_get_request_id
from opentelemetry.sdk.trace import ReadableSpan

from tracegauge.tracking.compat.traces_under_way import is_under_way_here, roots_that_wait


class HandingOverExporter(MlflowV3SpanExporter):  # type: ignore[misc]
    """Hands a trace over when its root has ended, and spans of traces that have their root elsewhere when they end.

    Everything before that stays MLflow's own: names, previews, token totals, the wait for late spans (3.12 and later),
    display in notebooks. So does everything within `mlflow.genai.evaluate`, which needs its traces at once.
    """

    def __init__(self, tracking_uri: str, flush: Callable[[], object]) -> None:
        """`flush`: what `mlflow.flush_trace_async_logging()` is to call."""
        super().__init__(tracking_uri)
        self._async_queue = _FlushedByMlflow(flush)
        if "IPython" not in sys.modules:  # else MLflow would look for it, in vain, at each trace
            self._display_handler = _NoDisplay()

    @abstractmethod
    def take_trace(self, trace: Trace, prompts: Sequence[Any], workspace: str | None) -> None:
        """A trace has ended. MLflow before 3.12 does not wait for spans that outlive their root."""

    @abstractmethod
    def take_span(self, trace_id: str, experiment_id: str, span: Span) -> None:
        """A span has ended whose root is in another process, or has ended before it."""

    def export(self, spans: Sequence[ReadableSpan]) -> None:
        """Called in the thread that ends a span, within the invocation."""
        if not self._is_only_noted(spans):
            super().export(spans)

    def _is_only_noted(self, spans: Sequence[ReadableSpan]) -> bool:
        """Whether MLflow has noted the span already, and it will come along with its root, which is still to end.

        Most spans end this way, so the way is short. Where roots wait for late spans, this may be the last of those.
        """
        return (
            all(span._parent is not None and is_under_way_here(span.context.trace_id) for span in spans)
            and not roots_that_wait(self)
            and not maybe_get_request_id(is_evaluate=True)
        )

    def _should_enable_async_logging(self) -> bool:
        return False  # then MLflow has no queues, and no threads, before this exporter

    def _export_spans_incrementally(self, spans: Sequence[ReadableSpan]) -> None:
        if maybe_get_request_id(is_evaluate=True):
            super()._export_spans_incrementally(spans)
            return
        for span in spans:
            trace_id = get_otel_attribute(span, SpanAttributeKey.REQUEST_ID)
            if trace_id is not None and not is_under_way_here(span.context.trace_id):
                self.take_span(trace_id, get_experiment_id_for_trace(span), Span(span))

    def _log_trace(self, trace: Trace, prompts: Sequence[Any] = (), workspace: str | None = None) -> None:
        if maybe_get_request_id(is_evaluate=True):
            arguments = {"workspace": workspace} if workspace else {}
            super()._log_trace(trace, prompts, **arguments)
            return
        self.take_trace(trace, prompts, workspace)


class WatchedExporter(MlflowV3SpanExporter):  # type: ignore[misc]
    """Exports as MLflow does, and tells of what can't be sent."""

    def __init__(self, tracking_uri: str) -> None:
        super().__init__(tracking_uri)
        self._failed = threading.local()
        for name in ("log_spans", "start_trace", "_upload_trace_data"):
            setattr(self._client, name, self._watched(getattr(self._client, name)))

    @abstractmethod
    def is_left_alone(self) -> bool:
        """Whether nothing is to be sent now."""

    @abstractmethod
    def failed(self, error: Exception) -> None:
        """A call of the client has raised this."""

    @abstractmethod
    def take_unsent(self, trace: Trace, prompts: Sequence[Any]) -> None:
        """A trace that has ended was not sent."""

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                self.failed(error)
                self._failed.here = True
                raise

        return watched

    def _log_spans(self, experiment_id: str, spans: list[Any], *args: Any, **kwargs: Any) -> None:
        """Spans are sent ahead of their trace; the trace has them all, so none is lost when this is left out."""
        if not self.is_left_alone():
            super()._log_spans(experiment_id, spans, *args, **kwargs)

    def _log_trace(self, trace: Trace, prompts: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        if not self.is_left_alone():
            self._failed.here = False
            super()._log_trace(trace, prompts, *args, **kwargs)
            if not self._failed.here:
                return
        self.take_unsent(trace, prompts)


class _NoDisplay:
    """Where there is no notebook to show traces in."""

    def display_traces(self, traces: Sequence[Trace]) -> None:
        """Nothing."""


class _FlushedByMlflow:
    """What `mlflow.flush_trace_async_logging()` calls, and `mlflow.search_traces(flush=True)` through it."""

    def __init__(self, flush: Callable[[], object]) -> None:
        self._flush = flush

    def flush(self, terminate: bool = False) -> None:  # noqa: ARG002 - our threads end with `uninstall`
        self._flush()
