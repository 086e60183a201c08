"""Reads a store through MLflow's own API, so that what two stores hold can be compared."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
import sqlalchemy as sa

from tracegauge.stores.migrate import migrate_file_store

DATA = Path(__file__).parents[2] / "data" / "mlflow-2.9"
Snapshot = dict[str, Any]


@pytest.fixture
def allow_file_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")


@pytest.fixture
def file_store_29(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the 2.9.2 file store, with the empty folders that git does not keep and MLflow 3.17 needs."""
    root = tmp_path_factory.mktemp("moved") / "mlruns"
    shutil.copytree(DATA / "filestore" / "mlruns", root)
    for run in [*root.glob("*/*/meta.yaml"), *root.glob(".trash/*/*/meta.yaml")]:
        if run.parents[1].name != "models":
            for name in ("params", "metrics", "artifacts", "tags"):
                (run.parent / name).mkdir(exist_ok=True)
    return root


@pytest.fixture(scope="session")
def written_now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file store written by the installed MLflow."""
    folder = tmp_path_factory.mktemp("written") / "mlruns"
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([sys.executable, DATA.parent / "make_store.py", folder], env=environment, check=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def migrated_once(written_now: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`written_now` as an SQLite database in a folder of its own, beside its artifacts; only to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate_file_store(str(written_now), f"sqlite:///{folder}/mlflow.db")
    return folder / "mlflow.db"


@pytest.fixture
def fallback(migrated_once: Path, tmp_path: Path) -> str:
    """The URI of a database with runs, nested runs, traces and assessments, of which one each was deleted."""
    (tmp_path / "fallback").mkdir()
    shutil.copyfile(migrated_once, tmp_path / "fallback" / "mlflow.db")
    return f"sqlite:///{tmp_path}/fallback/mlflow.db"


@pytest.fixture
def sqlite_29() -> Path:
    """The 2.9.2 SQLite database; its artifacts lie beside it."""
    return DATA / "sqlite" / "mlflow.db"


@pytest.fixture
def read_store(allow_file_store: None) -> Callable[..., Snapshot]:
    return snapshot


def open_store(uri: str) -> Any:
    from mlflow.store.tracking.file_store import FileStore
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    return SqlAlchemyStore(uri, "/nowhere") if ":/" in uri else FileStore(uri)


def snapshot(uri: str) -> Snapshot:
    """Everything that MLflow reads from a store, by id; artifact URIs left out, for they differ on purpose."""
    from mlflow.entities import ViewType

    store, root = open_store(uri), Path(uri)
    experiments = all_pages(lambda token: store.search_experiments(ViewType.ALL, 1000, page_token=token))
    ids = [experiment.experiment_id for experiment in experiments]
    runs = all_pages(lambda token: store.search_runs(ids, "", ViewType.ALL, 1000, page_token=token))
    result = {
        "experiments": {one.experiment_id: _experiment(one) for one in experiments},
        "runs": {one.info.run_id: _run(store, one, root) for one in runs},
        "models": _registered_models(uri),
        "logged models": {
            model.model_id: _logged_model(model, root)
            for one in ids
            for model in all_pages(
                lambda token, one=one: store.search_logged_models([one], max_results=100, page_token=token)
            )
        },
        "traces": {},
    }
    for one in ids:
        for info in all_pages(lambda token, one=one: store.search_traces(locations=[one], page_token=token)):
            result["traces"][info.trace_id] = _trace(store, info, root)
    if hasattr(store, "engine"):
        store.engine.dispose()
    return result


def all_pages(search: Callable[[str | None], Any]) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = search(token)
        items, token = page if isinstance(page, tuple) else (page, page.token)
        found += items
        if not token:
            return found


def _experiment(one: Any) -> Snapshot:
    return {"name": one.name, "stage": one.lifecycle_stage, "tags": one.tags, "created": one.creation_time}


def _run(store: Any, run: Any, root: Path) -> Snapshot:
    info = run.info
    return {
        "experiment": info.experiment_id,
        "name": info.run_name,
        "user": info.user_id,
        "status": info.status,
        "times": (info.start_time, info.end_time),
        "stage": info.lifecycle_stage,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {
            key: sorted(
                (one.step, one.timestamp, repr(one.value)) for one in store.get_metric_history(info.run_id, key)
            )
            for key in run.data.metrics
        },
        "latest": {key: repr(value) for key, value in run.data.metrics.items()},
        "datasets": sorted(
            (
                one.dataset.name,
                one.dataset.digest,
                one.dataset.source,
                tuple(sorted((t.key, t.value) for t in one.tags)),
            )
            for one in run.inputs.dataset_inputs
        ),
        "model inputs": sorted(one.model_id for one in run.inputs.model_inputs),
        "artifacts": artifact_contents(info.artifact_uri, root),
    }


def artifact_contents(uri: str, root: Path) -> dict[str, bytes]:
    folder = local_folder(uri, root)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def local_folder(uri: str, root: Path) -> Path:
    """The folder of a URI; that of a file store which was moved is looked for where the store is now."""
    path = Path(url2pathname(urlsplit(uri).path))
    return root / str(path).partition("/mlruns/")[2] if str(path).startswith("/srv/agents/") else path


def _logged_model(model: Any, root: Path) -> Snapshot:
    return {
        "name": model.name,
        "status": str(model.status),
        "params": model.params,
        "tags": model.tags,
        "metrics": sorted((one.key, one.step, one.timestamp, one.value, one.run_id) for one in model.metrics or ()),
        "artifacts": artifact_contents(model.artifact_location, root),
    }


def _registered_models(uri: str) -> Snapshot:
    from mlflow.store.model_registry.file_store import FileStore
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(uri) if ":/" in uri else FileStore(uri)
    models = all_pages(lambda token: store.search_registered_models(max_results=100, page_token=token))
    return {
        model.name: {
            "description": model.description,
            "tags": model.tags,
            "aliases": {alias: int(version) for alias, version in model.aliases.items()},
            "versions": {
                int(version.version): (version.run_id, version.status, version.current_stage, version.tags)
                for version in all_pages(
                    lambda token, name=model.name: store.search_model_versions(
                        f"name = '{name}'", max_results=100, page_token=token
                    )
                )
            },
        }
        for model in models
    }


def _trace(store: Any, info: Any, root: Path) -> Snapshot:
    metadata = dict(info.trace_metadata)
    for key in ("mlflow.trace.tokenUsage", "mlflow.trace.cost"):
        if key in metadata:
            metadata[key] = json.loads(metadata[key])
    hidden = ("mlflow.artifactLocation", "mlflow.trace.spansLocation")
    return {
        "experiment": info.experiment_id,
        "times": (info.request_time, info.execution_duration),
        "state": str(info.state),
        "previews": (info.request_preview, info.response_preview),
        "tags": {key: value for key, value in info.tags.items() if key not in hidden},
        "metadata": metadata,
        "assessments": sorted(
            json.dumps({"valid": True} | one.to_dictionary(), sort_keys=True) for one in info.assessments
        ),
        "spans": spans_of(store, info, root),
    }


def spans_of(store: Any, info: Any, root: Path) -> list[Snapshot]:
    """The spans as MLflow's client reads them: from the database if they are there, else from the artifacts."""
    if info.tags.get("mlflow.trace.spansLocation") == "TRACKING_STORE":
        (trace,) = store.batch_get_traces([info.trace_id], None)
        spans = trace.data.spans
    else:
        from mlflow.entities import TraceData

        path = local_folder(info.tags["mlflow.artifactLocation"], root) / "traces.json"
        spans = TraceData.from_dict(json.loads(path.read_text())).spans if path.exists() else []
    # Spans had no links before 3.13: no links and an empty list of them are the same.
    dicts = [{key: value for key, value in span.to_dict().items() if key != "links" or value} for span in spans]
    return sorted(dicts, key=lambda span: str(span["span_id"]))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL on a free port; it refuses to run as root, so root starts it as `nobody`."""
    binaries = _postgresql_binaries()
    if binaries is None:
        reason = "no PostgreSQL is installed (Debian: apt-get install postgresql)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    user = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="tracegauge-postgresql-", dir="/tmp"))
    if user:
        shutil.chown(folder, "nobody")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/tmp",
        **user,
    )
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off"],
        cwd="/tmp",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **user,
    )
    try:
        _wait_for_postgresql(port, server)
        yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def _postgresql_binaries() -> Path | None:
    candidates = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        candidates.append(Path(found).parent)
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _wait_for_postgresql(port: int, server: "subprocess.Popen[bytes]") -> None:
    import psycopg2  # with an environment that has no such thing these tests fail, and don't skip

    for _ in range(150):
        try:
            psycopg2.connect(host="127.0.0.1", port=port, user="mlflow", dbname="postgres").close()
        except psycopg2.OperationalError:
            assert server.poll() is None, "PostgreSQL ended"
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("PostgreSQL did not come up in 30 s")


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URI of a new, empty database."""
    name = f"d{uuid.uuid4().hex}"
    admin = sa.create_engine(f"{postgresql_server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield f"{postgresql_server}/{name}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
