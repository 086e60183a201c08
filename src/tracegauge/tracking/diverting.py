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

from mlflow.entities import Trace
from mlflow.exceptions import MlflowException

from tracegauge.tracking.causes import is_unreachable
from tracegauge.tracking.compat.exporters import WatchedExporter
from tracegauge.tracking.compat.tracer_provider import exporter_class, exporter_class_in_use
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
    server_uri, diversion, usual = tracking_uri, _Diversion(tracking_uri, open_fallback), exporter_class_in_use()

    def make_exporter(tracking_uri: str) -> object:
        if tracking_uri != server_uri:  # the user's own business
            return usual(tracking_uri)
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


class _DivertingExporter(WatchedExporter):
    """MLflow's exporter, which leaves a server alone that does not answer."""

    def __init__(self, tracking_uri: str, diversion: _Diversion) -> None:
        super().__init__(tracking_uri)
        self._diversion = diversion
        self._left_alone_until = 0.0

    def is_left_alone(self) -> bool:
        """Whether the server failed a moment ago."""
        return time.monotonic() < self._left_alone_until

    def failed(self, error: Exception) -> None:
        """The next traces need not find out again."""
        if _is_down(error):
            self._left_alone_until = time.monotonic() + LEFT_ALONE_S

    def take_unsent(self, trace: Trace, prompts: Sequence[Any]) -> None:
        """To the fallback store."""
        self._diversion.take(Parcel.of_trace(trace, prompts))


def _is_down(error: Exception) -> bool:
    """Whether the server as a whole is meant, not this request."""
    if is_unreachable(error):
        return True
    return isinstance(error, MlflowException) and error.get_http_status_code() in (401, 403, 502, 503, 504)
