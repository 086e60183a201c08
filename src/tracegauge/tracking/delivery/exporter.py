"""From MLflow's exporter to parcels."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from mlflow.entities import Span, Trace
from opentelemetry.sdk.trace import ReadableSpan

from tracegauge.tracking.compat.exporters import HandingOverExporter
from tracegauge.tracking.delivery.parcel import Parcel

logger = logging.getLogger("tracegauge.tracking")


class WholeTraceExporter(HandingOverExporter):
    """Packs what has ended into parcels, and hands them over."""

    def __init__(self, tracking_uri: str, hand_over: Callable[[Parcel], None], flush: Callable[[], object]) -> None:
        super().__init__(tracking_uri, flush)
        self._hand_over = hand_over

    def export(self, spans: Sequence[ReadableSpan]) -> None:
        """Called in the thread that ends a span, within the invocation. Never raises."""
        try:
            super().export(spans)
        except Exception:
            logger.exception("a trace could not be handed over for delivery")

    def take_trace(self, trace: Trace, prompts: Sequence[Any], workspace: str | None) -> None:
        """The whole trace, in one parcel."""
        self._hand_over(Parcel.of_trace(trace, prompts, workspace))

    def take_span(self, trace_id: str, experiment_id: str, span: Span) -> None:
        """The span by itself."""
        self._hand_over(Parcel(trace_id, experiment_id, (span,)))
