"""The file store: a folder tree."""

from collections.abc import Mapping
from pathlib import Path

from tracegauge.measure.backends import Backend


class FileBackend(Backend):
    """MLflow's file store, the default of 2.9."""

    # From MLflow 3.13 the file store has to be asked for.
    environment: Mapping[str, str] = {"MLFLOW_ALLOW_FILE_STORE": "true"}

    def tracking_uri(self, folder: Path) -> str:
        """A `file:///…/mlruns` URI."""
        return (folder / "mlruns").as_uri()

    def create(self, folder: Path) -> None:
        """Let MLflow lay out the store, with its default experiment."""
        from mlflow.tracking import MlflowClient

        MlflowClient(self.tracking_uri(folder)).search_experiments()
