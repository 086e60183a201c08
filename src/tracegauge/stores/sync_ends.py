"""The two stores of a sync, and which experiment of one is which of the other."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, ExperimentTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing.client import TracingClient

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import StoreError
from tracegauge.stores.locations import database_url, shown, sqlite_path
from tracegauge.stores.mlflow_schema import installed_revision, revision_at
from tracegauge.stores.paging import all_pages
from tracegauge.stores.patience import Patience
from tracegauge.tracking.server_check import check_server, without_password

_PAGE = 1000
_CHECK_TIMEOUT_S = 10.0
_WRONG_SERVER = ("wrong_service", "unauthorized", "tls_failure")
"""Answers that waiting does not change."""


@dataclass(frozen=True)
class Ends:
    """Both stores, as MLflow opens them."""

    source: SqlAlchemyStore
    source_uri: str
    source_client: MlflowClient
    target: AbstractStore
    target_client: MlflowClient
    target_uri: str
    patience: Patience
    experiment_ids: dict[str, str] = field(default_factory=dict)
    """Experiment id in the source → id in the target."""

    def map_experiments(self) -> None:
        """Find or make an experiment of the same name in the target for each of the source. Raises StoreError."""
        search = self.source.search_experiments
        for experiment in all_pages(lambda token: search(ViewType.ACTIVE_ONLY, _PAGE, page_token=token)):
            self.experiment_ids[experiment.experiment_id] = self.patience(partial(self._same_in_target, experiment))

    def _same_in_target(self, experiment: Experiment) -> str:
        there = self.target.get_experiment_by_name(experiment.name)
        if there is None:
            tags = [ExperimentTag(key, value) for key, value in experiment.tags.items()]
            try:
                return str(self.target.create_experiment(experiment.name, None, tags))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                # Made meanwhile, maybe by an earlier call of ours whose answer was lost.
                there = self.target.get_experiment_by_name(experiment.name)
        if there is not None and there.lifecycle_stage != "active":
            self.target.restore_experiment(there.experiment_id)
        assert there is not None
        return str(there.experiment_id)


def open_ends(source_uri: str, target_uri: str, patience: Patience, artifact_root: Path | None) -> Ends:
    """Open both stores.

    The source comes first: a mistake in it is told at once, however long the server is away. Raises ConfigError for a
    URI that can't be used, StoreError for a store that can't be reached.
    """
    if is_server(source_uri):
        raise ConfigError(
            f"sync copies from a database, and {without_password(source_uri)} is a server",
            hint="name the server's own database",
        )
    source = _open_database(source_uri, artifact_root, must_exist=True)
    if is_server(target_uri):
        patience(partial(_check, target_uri))
        target: AbstractStore = TracingClient(target_uri).store
    else:
        target = _open_database(target_uri, artifact_root, must_exist=False)
    return Ends(source, source_uri, MlflowClient(source_uri), target, MlflowClient(target_uri), target_uri, patience)


def _check(target_uri: str) -> None:
    check = check_server(target_uri, _CHECK_TIMEOUT_S)
    if check.ok:
        return
    if check.outcome in _WRONG_SERVER:
        raise StoreError(str(check))
    raise MlflowException(str(check), error_code=TEMPORARILY_UNAVAILABLE)


def is_server(uri: str) -> bool:
    """Whether an HTTP server stands behind a tracking URI."""
    return uri.startswith(("http://", "https://"))


def _open_database(uri: str, artifact_root: Path | None, *, must_exist: bool) -> SqlAlchemyStore:
    if "://" not in uri or uri.startswith("file:"):
        raise ConfigError(
            f"{without_password(uri)} is a file store, which sync does not read or write",
            hint=f"move it to a database first: tracegauge migrate {without_password(uri)} sqlite:///mlflow.db",
        )
    url = database_url(uri)
    path = sqlite_path(url)
    if must_exist and path is not None and not path.exists():
        raise ConfigError(f"there is no file {path}", hint="sqlite:///x.db is relative, sqlite:////x.db starts at /")
    revision = revision_at(url) if path is None or path.exists() else None
    if must_exist and revision is None:
        raise ConfigError(f"{shown(url)} is not an MLflow database: it has no schema version")
    if revision not in (None, installed_revision()):
        # MLflow would upgrade some of them at once, without asking and without a backup.
        raise ConfigError(
            f"{shown(url)} has another schema ({revision}) than the installed MLflow ({installed_revision()})",
            hint=f"upgrade it first: tracegauge migrate {shown(url)}",
        )
    root = artifact_root or (path.parent if path else Path.cwd()) / "mlartifacts"
    return SqlAlchemyStore(uri, root.absolute().as_uri())
