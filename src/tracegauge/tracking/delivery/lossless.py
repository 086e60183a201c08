"""The delivery that loses no trace."""

import os
import weakref
from contextlib import ExitStack

from tracegauge.tracking.compat.sql_store import forget_connections
from tracegauge.tracking.compat.tracer_provider import (
    current_exporter,
    exporter_class,
    exporter_class_in_use,
    rebuild_tracer_provider,
)
from tracegauge.tracking.compat.traces_under_way import release_waiting_traces, unfinished_traces
from tracegauge.tracking.delivery.courier import Courier
from tracegauge.tracking.delivery.delivery import Delivery, DeliveryContext, FlushReport
from tracegauge.tracking.delivery.exit_hooks import ExitHooks
from tracegauge.tracking.delivery.exporter import WholeTraceExporter
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.store_writer import is_server
from tracegauge.tracking.environment import environment

EXIT_S = 20.0
"""How long the end of the process, or of the tracker, may wait for the store. What is left then goes to disk.
(Kubernetes kills 30 s after SIGTERM, systemd after 90 s.)"""

HTTP_LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""Where nothing else is set. By default MLflow itself tries again for minutes, and only then says so."""


class Lossless(Delivery):
    """Finished traces wait in memory, bounded; in the background many of them are written per transaction.

    A trace that waits is not in the store yet: `mlflow.get_trace` finds it after `flush`, or a moment later.
    """

    name = "lossless"

    def __init__(self) -> None:
        self._context: DeliveryContext | None = None
        self._courier: Courier | None = None
        self._installed = ExitStack()

    def install(self, context: DeliveryContext) -> None:
        """Have MLflow hand over its traces, and start to write them: first what earlier processes left on disk."""
        if self._courier:
            raise RuntimeError("delivery 'lossless' is installed already")
        self._context = context
        courier = self._courier = Courier(context)
        usual = exporter_class_in_use()

        def make_exporter(tracking_uri: str) -> object:
            # The application has turned to another store meanwhile, or a delivery that was installed after this one,
            # and given back after it too, has put this function back.
            if tracking_uri != context.tracking_uri or self._courier is not courier:
                return usual(tracking_uri)
            return WholeTraceExporter(tracking_uri, courier.put, lambda: courier.flush(None))

        if is_server(context.tracking_uri):
            unset = {name: value for name, value in HTTP_LIMITS.items() if name not in os.environ}
            self._installed.enter_context(environment(unset))
        self._installed.enter_context(exporter_class(make_exporter))
        rebuild_tracer_provider()
        hooks = ExitHooks(finish=self._finish, pause=lambda: courier.park(context.timeout_s))
        hooks.install()
        self._installed.callback(hooks.remove)
        _forked.add(self)
        courier.start()

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait until every finished trace is stored."""
        return self._courier.flush(timeout_s) if self._courier else FlushReport()

    def uninstall(self) -> None:
        """Give MLflow its exporter back; write what is left, for at most `EXIT_S`."""
        courier, self._courier = self._courier, None
        if courier is None:
            return
        exporter = current_exporter()
        self._installed.close()
        rebuild_tracer_provider()
        release_waiting_traces(exporter)
        courier.close(EXIT_S)

    def _finish(self) -> None:
        """The process ends: nothing will end any more, so what is under way is delivered as far as it got."""
        courier, context = self._courier, self._context
        if courier is None or context is None:
            return
        release_waiting_traces(current_exporter())
        for trace_id, experiment_id, spans in unfinished_traces():
            if spans:
                courier.put(Parcel(trace_id, experiment_id or context.experiment_id, tuple(spans)))
        courier.close(EXIT_S)

    def _begin_anew_in_child(self) -> None:
        if self._courier:
            self._courier.begin_anew_in_child()


_forked: weakref.WeakSet[Lossless] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    forget_connections()
    for lossless in tuple(_forked):
        lossless._begin_anew_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
