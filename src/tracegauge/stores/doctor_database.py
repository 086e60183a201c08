"""What is wrong with a database: its schema, rows that belong to nothing, artifacts that URIs don't lead to."""

import time
from pathlib import Path

import mlflow
import sqlalchemy as sa

from tracegauge.config.errors import ConfigError
from tracegauge.stores.database_uris import find_moves, is_trap, leads_nowhere, stored_uris
from tracegauge.stores.diagnosis import Diagnosis
from tracegauge.stores.errors import StoreError
from tracegauge.stores.locations import database_url, shown, sqlite_path
from tracegauge.stores.mlflow_schema import installed_revision, is_known_revision, open_engine, revision_at
from tracegauge.stores.report import PARENT_TAG
from tracegauge.stores.sync_marks import MARK_PREFIX

_COUNTED = {
    "experiments": "experiments",
    "runs": "runs",
    "traces": "trace_info",
    "spans": "spans",
    "assessments": "assessments",
    "metric points": "metrics",
    "registered models": "registered_models",
}
_BELONGS = (
    ("runs", "experiment_id", "experiments", "experiment_id"),
    ("params", "run_uuid", "runs", "run_uuid"),
    ("tags", "run_uuid", "runs", "run_uuid"),
    ("metrics", "run_uuid", "runs", "run_uuid"),
    ("trace_info", "experiment_id", "experiments", "experiment_id"),
    ("spans", "trace_id", "trace_info", "request_id"),
    ("trace_tags", "request_id", "trace_info", "request_id"),
    ("assessments", "trace_id", "trace_info", "request_id"),
)
"""(table, column, the table that it must be found in, column there)."""
_DAY_MS = 86_400_000


def diagnose_database(uri: str) -> Diagnosis:
    """Look at a database, with statements that only read.

    Raises ConfigError if there is no MLflow database, StoreError if it can't be reached or read.
    """
    url = database_url(uri)
    path = sqlite_path(url)
    if path is not None and not path.is_file():
        raise ConfigError(f"there is no file {path}", hint="sqlite:///x.db is relative, sqlite:////x.db starts at /")
    read_only_url = url if path is None else _read_only(path)
    revision = revision_at(read_only_url)
    if revision is None:
        raise ConfigError(f"{shown(url)} is not an MLflow database: it has no schema version")
    diagnosis = Diagnosis(uri=shown(url), kind="database")
    diagnosis.facts["schema"] = revision
    diagnosis.facts["installed MLflow"] = f"{mlflow.__version__}, schema {installed_revision()}"
    _check_schema(diagnosis, revision, shown(url))
    try:
        with open_engine(read_only_url) as engine, engine.connect() as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            if "runs" not in metadata.tables:
                raise ConfigError(f"{shown(url)} is not an MLflow database: it has no table of runs")
            if path is not None:
                diagnosis.facts["size"] = f"{path.stat().st_size / 1e6:.1f} MB"
                _check_integrity(diagnosis, connection)
            _count(diagnosis, connection, metadata)
            _check_orphans(diagnosis, connection, metadata)
            _check_runs(diagnosis, connection, metadata)
            _check_artifacts(diagnosis, connection, metadata, path)
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"{shown(url)} can't be read: {getattr(error, 'orig', None) or error}") from error
    return diagnosis


def _read_only(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=path.as_uri(), query={"mode": "ro", "uri": "true"})


def _check_schema(diagnosis: Diagnosis, revision: str, uri: str) -> None:
    if revision == installed_revision():
        return
    if is_known_revision(revision):
        diagnosis.problem(
            "schema",
            f"it is older ({revision}) than the installed MLflow's; MLflow upgrades some such databases as it opens "
            "them, without asking and without a backup, and older versions can't open them any more",
            f"tracegauge migrate {uri}",
        )
    else:
        diagnosis.problem(
            "schema",
            f"it was written by a newer MLflow than the installed {mlflow.__version__}",
            "pip install --upgrade mlflow",
        )


def _check_integrity(diagnosis: Diagnosis, connection: sa.Connection) -> None:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        diagnosis.problem("file", f"the database file is damaged: {verdict}", "go back to a backup")


def _count(diagnosis: Diagnosis, connection: sa.Connection, metadata: sa.MetaData) -> None:
    for name, table in _COUNTED.items():
        if table in metadata.tables:
            query = sa.select(sa.func.count()).select_from(metadata.tables[table])
            diagnosis.holds[name] = connection.scalar(query) or 0
    if "trace_tags" in metadata.tables:
        tags = metadata.tables["trace_tags"]
        query = sa.select(sa.func.count(tags.c.request_id.distinct())).where(tags.c.key.startswith(MARK_PREFIX))
        if synced := connection.scalar(query):
            diagnosis.facts["synced traces"] = str(synced)


def _check_orphans(diagnosis: Diagnosis, connection: sa.Connection, metadata: sa.MetaData) -> None:
    for table_name, column, owner_name, owner_column in _BELONGS:
        table, owner = metadata.tables.get(table_name), metadata.tables.get(owner_name)
        if table is None or owner is None:
            continue
        there = sa.select(owner.c[owner_column]).where(owner.c[owner_column] == table.c[column])
        query = sa.select(table.c[column]).where(~there.exists()).distinct()
        if orphans := [str(one) for one in connection.scalars(query)]:
            message = f"rows of {table_name} belong to {owner_name} that don't exist: MLflow does not show them"
            diagnosis.problem("orphans", message, "they can be deleted once nobody misses them", orphans)


def _check_runs(diagnosis: Diagnosis, connection: sa.Connection, metadata: sa.MetaData) -> None:
    runs, tags = metadata.tables["runs"], metadata.tables["tags"]
    there = sa.select(runs.c.run_uuid).where(runs.c.run_uuid == tags.c.value)
    lost = sa.select(tags.c.run_uuid).where(tags.c.key == PARENT_TAG, ~there.exists())
    if children := [str(one) for one in connection.scalars(lost)]:
        message = "nested runs whose parent is not in this store"
        diagnosis.note(
            "nesting", message, "in a fallback store the parent may be on the server: tracegauge sync", children
        )
    old = int(time.time() * 1000) - _DAY_MS
    query = sa.select(runs.c.run_uuid).where(
        runs.c.status == "RUNNING", runs.c.lifecycle_stage == "active", runs.c.start_time < old
    )
    if running := [str(one) for one in connection.scalars(query)]:
        diagnosis.note("runs", "RUNNING for more than a day: their process has probably died", "end them", running)


def _check_artifacts(diagnosis: Diagnosis, connection: sa.Connection, metadata: sa.MetaData, path: Path | None) -> None:
    uris = list(stored_uris(connection, metadata))
    traps = [one.uri for one in uris if is_trap(one)]
    if traps:
        diagnosis.problem(
            "artifacts",
            "file://./… looks relative and means a path below /: such artifacts are looked for in /mlruns",
            "write file:./mlruns or a plain path; tracegauge migrate rewrites them where the files are found",
            traps,
        )
    gone = [one for one in uris if leads_nowhere(one)]
    moves = find_moves(gone, [path.parent / "mlruns", path.parent / "mlartifacts"] if path else [])
    moved = [one.uri for one in gone if any(move.follow(one.uri) for move in moves)]
    if moved:
        diagnosis.problem(
            "artifacts",
            f"URIs lead to {moves[0].old}, and the files are in {moves[0].new}",
            f"tracegauge migrate {diagnosis.uri}",
            moved,
        )
    # A run that logged no artifact has no folder; below a folder that is gone itself, more than that is wrong.
    lost = [one.uri for one in gone if one.table == "experiments" and one.uri not in moved and not is_trap(one)]
    if lost:
        diagnosis.note(
            "artifacts",
            "there is no folder for the artifacts of these experiments on this machine",
            "right if nothing was logged yet, or if they lie on another machine",
            lost,
        )
