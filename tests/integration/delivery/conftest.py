"""What the deliveries' tests share: real stores, and a delivery that is always given back."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest

from tracegauge.tracking.delivery import Delivery, DeliveryContext, make_delivery


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with MLflow's schema and nothing in it: creating one takes seconds, copying one nothing."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    """A fresh SQLite store."""
    return Path(shutil.copy(empty_database, tmp_path / "mlflow.db"))


@pytest.fixture
def context(database: Path, empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeliveryContext:
    """MLflow points at a fresh SQLite store with one experiment, and another one is the fallback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    uri = f"sqlite:///{database}"
    mlflow.set_tracking_uri(uri)
    experiment_id = mlflow.set_experiment("deliveries").experiment_id
    fallback = shutil.copy(empty_database, tmp_path / "fallback.db")
    return DeliveryContext(uri, experiment_id, f"sqlite:///{fallback}", timeout_s=2.0, spill_dir=tmp_path / "spill")


@pytest.fixture
def install(context: DeliveryContext) -> Iterator[Callable[..., Delivery]]:
    """Installs a delivery by name (and by another context than the usual one), until the end of the test."""
    with contextlib.ExitStack() as stack:

        def install(name: str, context: DeliveryContext = context) -> Delivery:
            delivery = make_delivery(name)
            delivery.install(context)
            stack.callback(delivery.uninstall)
            return delivery

        yield install


@pytest.fixture
def rows() -> Callable[[Path, str], list[tuple]]:
    """What a query finds, read past MLflow."""

    def rows(database: Path, query: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return connection.execute(query).fetchall()

    return rows


@pytest.fixture
def trace_names(rows: Callable[[Path, str], list[tuple]]) -> Callable[[Path], list[str]]:
    """The names of root spans, sorted, of traces that are whole: begun, ended and with their info."""

    def trace_names(database: Path) -> list[str]:
        query = """select name from spans join trace_info on trace_id = request_id
                   where parent_span_id is null and trace_info.status in ('OK', 'ERROR')"""
        return sorted(name for (name,) in rows(database, query))

    return trace_names


@pytest.fixture
def hold_lock() -> Callable[[Path], contextlib.AbstractContextManager[None]]:
    """Locks a database against every other connection, as another process that writes to it does."""

    @contextlib.contextmanager
    def hold_lock(database: Path) -> Iterator[None]:
        connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        connection.execute("begin exclusive")
        try:
            yield
        finally:
            connection.execute("rollback")
            connection.close()

    return hold_lock
