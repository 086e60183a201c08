"""SQLite: one database file, artifacts beside it."""

from pathlib import Path

from tracegauge.measure.backends import Backend


class SqliteBackend(Backend):
    """MLflow on SQLite, the default from 3.7."""

    def tracking_uri(self, folder: Path) -> str:
        """A `sqlite:////…/mlflow.db` URI."""
        return f"sqlite:///{folder / 'mlflow.db'}"

    def create(self, folder: Path) -> None:
        """Let MLflow create the schema, which takes seconds: copy the result."""
        from mlflow.tracking import MlflowClient

        MlflowClient(self.tracking_uri(folder)).search_experiments()
