"""MLflow's global state while a tracker is in use: set up in one place, restored in reverse order."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import mlflow

from tracegauge.config.observability import Delivery as DeliveryName
from tracegauge.config.observability import MLflowConfig
from tracegauge.tracking import compat
from tracegauge.tracking.delivery import Delivery, DeliveryContext, FlushReport, make_delivery
from tracegauge.tracking.destination import resolve_destination
from tracegauge.tracking.environment import environment
from tracegauge.tracking.settings import WorkflowFacts

logger = logging.getLogger("tracegauge.tracking")

DEFAULT_EXPERIMENT = "Default"


@dataclass(frozen=True)
class Activation:
    """A tracker's hold on MLflow."""

    tracking_uri: str
    experiment_id: str
    delivery: Delivery
    _undo: ExitStack

    @classmethod
    def open(cls, config: MLflowConfig, workflow: WorkflowFacts, delivery_name: DeliveryName) -> "Activation":
        """Resolve the destination and point MLflow at it."""
        destination = resolve_destination(config.tracking_uri)
        if destination.notice:
            logger.warning(destination.notice)
        delivery = make_delivery(delivery_name)
        with ExitStack() as undo:
            if destination.is_file_store:
                undo.enter_context(environment({"MLFLOW_ALLOW_FILE_STORE": "true"}))
            undo.enter_context(compat.tracking_uri(destination.uri))
            experiment_id = _experiment(config.experiment_name or workflow.name or DEFAULT_EXPERIMENT)
            undo.enter_context(compat.active_experiment(experiment_id))
            delivery.install(
                DeliveryContext(
                    tracking_uri=destination.uri,
                    experiment_id=experiment_id,
                    fallback_uri=resolve_destination(config.fallback_uri).uri,
                    timeout_s=config.server_check_timeout_s,
                    spill_dir=Path(".tracegauge/spill").absolute(),
                )
            )
            undo.callback(delivery.uninstall)
            return cls(destination.uri, experiment_id, delivery, undo.pop_all())
        raise AssertionError("unreachable")

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait for the delivery."""
        return self.delivery.flush(timeout_s)

    def close(self) -> None:
        """Restore what `open` changed."""
        self._undo.close()


def _experiment(name: str) -> str:
    """The id of the experiment with this name, which is created or restored if need be."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)
