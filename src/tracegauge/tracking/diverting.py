"""MLflow's own export, for servers: what can't be sent goes to the fallback store, and a dead server is left alone.

The delivery `lossless` sees to that by itself. MLflow's exporter logs a warning and drops the trace, after it has
tried to send each span: with a server that takes connections and never answers, each try takes a whole timeout.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter

from tracegauge.tracking.causes import is_unreachable
from tracegauge.tracking.delivery.compat import exporter_class
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.writers import open_writer

logger = logging.getLogger("tracegauge.tracking")

LEFT_ALONE_S = 15.0
"""How long a server that failed is not tried again."""

OpenFallback = Callable[[], tuple[str, str] | None]
"""Opens the fallback store: its URI, and the id of the experiment in it. None where it can't be opened."""


@contextmanager
def diverting(tracking_uri: str, open_fallback: OpenFallback) -> Iterator[None]:
    """Have MLflow's exporters for this server divert what they can't send."""
    server_uri, diversion = tracking_uri, _Diversion(tracking_uri, open_fallback)

    def make_exporter(tracking_uri: str) -> MlflowV3SpanExporter:
        if tracking_uri != server_uri:  # the user's own business
            return MlflowV3SpanExporter(tracking_uri)
        return _DivertingExporter(tracking_uri, diversion)

    with exporter_class(make_exporter):
        yield


class _Diversion:
    """The way to the fallback store, opened when it is first needed."""

    def __init__(self, tracking_uri: str, open_fallback: OpenFallback) -> None:
        self._tracking_uri = tracking_uri
        self._open_fallback = open_fallback
        self._opened: tuple[Any, str] | None = None
        self._tried = False
        self._lock = threading.Lock()

    def take(self, parcel: Parcel) -> None:
        """Write a trace to the fallback store. Never raises."""
        with self._lock:
            try:
                self._open()
                if self._opened is None:
                    return
                writer, experiment_id = self._opened
                outcome = writer.write([parcel.readdressed(experiment_id)])
                if outcome.unsent or outcome.refused:
                    logger.warning("the fallback store can't take trace %s: %s", parcel.trace_id, outcome.error)
            except Exception as error:
                logger.warning("trace %s can't be written to the fallback store: %s", parcel.trace_id, error)

    def _open(self) -> None:
        if self._tried:
            return
        self._tried = True
        found = self._open_fallback()
        if found is None:
            logger.warning("%s can't be reached any more: its traces are lost", self._tracking_uri)
            return
        uri, experiment_id = found
        logger.warning("%s can't be reached any more: its traces go to %s", self._tracking_uri, uri)
        self._opened = open_writer(uri), experiment_id


class _DivertingExporter(MlflowV3SpanExporter):  # type: ignore[misc]
    """MLflow's exporter, with an eye on its client."""

    def __init__(self, tracking_uri: str, diversion: _Diversion) -> None:
        super().__init__(tracking_uri)
        self._diversion = diversion
        self._left_alone_until = 0.0
        self._failed = threading.local()
        for name in ("log_spans", "start_trace", "_upload_trace_data"):
            setattr(self._client, name, self._watched(getattr(self._client, name)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                if _is_down(error):
                    self._left_alone_until = time.monotonic() + LEFT_ALONE_S
                self._failed.here = True
                raise

        return watched

    def _is_left_alone(self) -> bool:
        return time.monotonic() < self._left_alone_until

    def _log_spans(self, experiment_id: str, spans: list[Any], *args: Any, **kwargs: Any) -> None:
        """Spans are sent ahead of their trace; the trace has them all, so none is lost when this is left out."""
        if not self._is_left_alone():
            super()._log_spans(experiment_id, spans, *args, **kwargs)

    def _log_trace(self, trace: Any, prompts: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        if not self._is_left_alone():
            self._failed.here = False
            super()._log_trace(trace, prompts, *args, **kwargs)
            if not self._failed.here:
                return
        self._diversion.take(
            Parcel(
                trace_id=trace.info.trace_id,
                experiment_id=trace.info.experiment_id,
                spans=tuple(span for span in trace.data.spans if span.end_time_ns is not None),
                info=trace.info,
                prompts=tuple((prompt.name, prompt.version) for prompt in prompts),
            )
        )


def _is_down(error: Exception) -> bool:
    """Whether the server as a whole is meant, not this request."""
    if is_unreachable(error):
        return True
    return isinstance(error, MlflowException) and error.get_http_status_code() in (401, 403, 502, 503, 504)
