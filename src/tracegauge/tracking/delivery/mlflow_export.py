"""MLflow's own export, asynchronous or synchronous."""

from contextlib import ExitStack
from typing import ClassVar

from tracegauge.tracking.compat.async_export import flush_async_export, stop_async_export
from tracegauge.tracking.compat.tracer_provider import current_exporter, rebuild_tracer_provider
from tracegauge.tracking.delivery.delivery import Delivery, DeliveryContext, FlushReport
from tracegauge.tracking.environment import environment


class MlflowExport(Delivery):
    """Leaves delivering to MLflow, with its asynchronous export explicitly on or off."""

    asynchronous: ClassVar[bool]

    def __init__(self) -> None:
        self._installed: ExitStack | None = None

    def install(self, context: DeliveryContext) -> None:  # noqa: ARG002 - MLflow knows its tracking URI
        """Set MLflow's switch and have its span processors rebuilt."""
        if self._installed:
            raise RuntimeError(f"delivery {self.name!r} is installed already")
        self._installed = ExitStack()
        self._installed.enter_context(
            environment({"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": str(self.asynchronous).lower()})
        )
        rebuild_tracer_provider()

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait until MLflow's export queue is empty. Traces that MLflow drops are not known to us, so not counted."""
        return FlushReport(pending=flush_async_export(timeout_s)) if self.asynchronous else FlushReport()

    def uninstall(self) -> None:
        """Restore MLflow's switch and span processors, and end the threads of those that go."""
        if not self._installed:
            return
        installed, self._installed = self._installed, None
        exporter = current_exporter()
        installed.close()
        rebuild_tracer_provider()
        stop_async_export(exporter)


class AsyncExport(MlflowExport):
    """MLflow's asynchronous export: fast for the caller, and loses traces when its queues are full."""

    name = "mlflow"
    asynchronous = True


class SyncExport(MlflowExport):
    """MLflow's synchronous export: a trace is stored before the invocation returns."""

    name = "sync"
    asynchronous = False
