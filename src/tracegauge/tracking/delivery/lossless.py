"""The delivery that loses no trace."""

import logging
from contextlib import ExitStack

from tracegauge.tracking.delivery import compat
from tracegauge.tracking.delivery.courier import Courier
from tracegauge.tracking.delivery.delivery import Delivery, DeliveryContext, FlushReport
from tracegauge.tracking.delivery.exporter import WholeTraceExporter

logger = logging.getLogger("tracegauge.tracking")


class Lossless(Delivery):
    """Finished traces wait in memory, bounded; one thread writes many of them per transaction."""

    name = "lossless"

    def __init__(self) -> None:
        self._courier: Courier | None = None
        self._installed = ExitStack()

    def install(self, context: DeliveryContext) -> None:
        """Have MLflow hand over its traces, and start the thread that writes them."""
        if self._courier:
            raise RuntimeError("delivery 'lossless' is installed already")
        courier = self._courier = Courier(context)
        usual = compat.exporter_class_in_use()

        def exporter(tracking_uri: str) -> object:
            if tracking_uri != context.tracking_uri:  # the user's own business: another store, another tracker
                return usual(tracking_uri)
            return WholeTraceExporter(tracking_uri, courier.put, lambda: courier.flush(None))

        self._installed.enter_context(compat.exporter_class(exporter))
        compat.rebuild_tracer_provider()
        courier.start()

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait until every finished trace is stored."""
        return self._courier.flush(timeout_s) if self._courier else FlushReport()

    def uninstall(self) -> None:
        """Give MLflow its exporter back; write what is left."""
        courier, self._courier = self._courier, None
        if courier is None:
            return
        exporter = compat.current_exporter()
        self._installed.close()
        compat.rebuild_tracer_provider()
        if exporter is not None:
            exporter.shutdown()  # hands over traces that still wait for late spans
        courier.close(30)
