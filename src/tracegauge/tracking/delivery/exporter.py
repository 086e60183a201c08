"""MLflow's exporter, with the last step replaced: what it would write is handed over in one piece."""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mlflow.entities import Span, Trace
from mlflow.tracing.constant import SpanAttributeKey
from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
from mlflow.tracing.utils import get_experiment_id_for_trace, get_otel_attribute, maybe_get_request_id
from opentelemetry.sdk.trace import ReadableSpan

from tracegauge.tracking.delivery import compat
from tracegauge.tracking.delivery.parcel import Parcel

logger = logging.getLogger("tracegauge.tracking")


class WholeTraceExporter(MlflowV3SpanExporter):  # type: ignore[misc]
    """Hands a trace over when its root has ended, and spans of traces that have their root elsewhere when they end.

    Everything before that stays MLflow's own: names, previews, token totals, the wait for late spans (3.12 and later),
    display in notebooks. So does everything within `mlflow.genai.evaluate`, which needs its traces at once.
    """

    def __init__(self, tracking_uri: str, hand_over: Callable[[Parcel], None], flush: Callable[[], object]) -> None:
        super().__init__(tracking_uri)
        self._hand_over = hand_over
        self._async_queue = _FlushedByMlflow(flush)
        if "IPython" not in sys.modules:  # else MLflow would look for it, in vain, at each trace
            self._display_handler = _NoDisplay()

    def export(self, spans: Sequence[ReadableSpan]) -> None:
        """Called in the thread that ends a span, within the invocation. Never raises."""
        try:
            if self._is_only_noted(spans):
                return
            super().export(spans)
        except Exception:
            logger.exception("a trace could not be handed over for delivery")

    def _is_only_noted(self, spans: Sequence[ReadableSpan]) -> bool:
        """Whether MLflow has noted the span already, and it will come along with its root, which is still to end.

        Most spans end this way, so the way is short. Where roots wait for late spans, this may be the last of those.
        """
        return (
            all(span._parent is not None and compat.is_under_way_here(span.context.trace_id) for span in spans)
            and not compat.roots_that_wait(self)
            and not maybe_get_request_id(is_evaluate=True)
        )

    def _should_enable_async_logging(self) -> bool:
        return False  # then MLflow has no queues, and no threads, before this exporter

    def _export_spans_incrementally(self, spans: Sequence[ReadableSpan]) -> None:
        if maybe_get_request_id(is_evaluate=True):
            super()._export_spans_incrementally(spans)
            return
        for span in spans:
            if not compat.is_under_way_here(span.context.trace_id):
                self._hand_over_span(span)

    def _hand_over_span(self, span: ReadableSpan) -> None:
        """A span whose root is in another process, or has ended before it."""
        trace_id = get_otel_attribute(span, SpanAttributeKey.REQUEST_ID)
        if trace_id is not None:
            experiment_id = get_experiment_id_for_trace(span)
            self._hand_over(Parcel(trace_id, experiment_id, (Span(span),)))

    def _log_trace(self, trace: Trace, prompts: Sequence[Any] = (), workspace: str | None = None) -> None:
        if maybe_get_request_id(is_evaluate=True):
            arguments = {"workspace": workspace} if workspace else {}
            super()._log_trace(trace, prompts, **arguments)
            return
        self._hand_over(
            Parcel(
                trace_id=trace.info.trace_id,
                experiment_id=trace.info.experiment_id,
                # MLflow before 3.12 does not wait for spans that outlive their root: those follow when they end.
                spans=tuple(span for span in trace.data.spans if span.end_time_ns is not None),
                info=trace.info,
                prompts=tuple((prompt.name, prompt.version) for prompt in prompts),
                workspace=workspace,
            )
        )


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
