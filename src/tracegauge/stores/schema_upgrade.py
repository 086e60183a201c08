"""Upgrades the schema of an SQLite database: backed up, upgraded in a copy, verified, then put in its place."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import mlflow
import sqlalchemy as sa
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from pydantic import BaseModel, ConfigDict

from tracegauge.config.errors import ConfigError
from tracegauge.stores.database_uris import find_moves, rewrite_moved, stored_uris
from tracegauge.stores.entities import Entity
from tracegauge.stores.errors import StoreError
from tracegauge.stores.install import back_up
from tracegauge.stores.locations import database_url, shown, sqlite_path, sqlite_url
from tracegauge.stores.mlflow_schema import (
    database_revision,
    installed_revision,
    is_known_revision,
    open_engine,
    reflect,
    upgrade_to_installed,
)
from tracegauge.stores.row_digests import OWNERS, RowDigests
from tracegauge.stores.sqlite_files import copy_database, replace_content, watch_writes
from tracegauge.stores.staging import READ_BY_MLFLOW
from tracegauge.stores.trace_digests import TraceDigests
from tracegauge.stores.work_folder import work_folder


class UpgradeReport(BaseModel):
    """What upgrading a database has done."""

    model_config = ConfigDict(extra="forbid")

    report_version: Literal[1] = 1
    database: str
    dry_run: bool
    mlflow_version: str
    from_revision: str
    to_revision: str
    rows: dict[str, int]
    """Rows by table, the same before and after."""
    uris_rewritten: int
    """Artifact URIs that led nowhere because the files were moved."""
    backup: str | None
    """Where the database was saved as it was before; None if nothing had to be changed."""

    def summary(self) -> str:
        """One line for people."""
        if self.from_revision == self.to_revision and not self.uris_rewritten:
            return f"{self.database} has the schema of MLflow {self.mlflow_version} already; nothing to do"
        would = "would be " if self.dry_run else ""
        return (
            f"{self.rows.get('runs', 0)} runs and {self.rows.get('trace_info', 0)} traces {would}upgraded from schema "
            f"{self.from_revision} to {self.to_revision}; {self.uris_rewritten} artifact URIs {would}rewritten"
        )


def migrate_database(
    source: str, *, dry_run: bool = False, on_step: Callable[[str], None] | None = None
) -> UpgradeReport:
    """Upgrade an SQLite database of an older MLflow to the installed one's schema.

    It is backed up beside itself first, upgraded in a copy with MLflow's own steps, and compared with the backup.
    Artifact URIs that lead nowhere are rewritten if the files lie beside the database, in `mlruns` or `mlartifacts`.

    Raises ConfigError for what is no such database and for one that is newer than the installed MLflow, StoreError if
    upgrading or verifying failed; the database is then as it was before.
    """
    step = on_step or (lambda _: None)
    path = _existing_file(source)
    revision = _revision(path)
    # A dry run leaves the database's folder alone, which may be one that it may not write to.
    place = TemporaryDirectory(prefix="tracegauge-") if dry_run else work_folder(path)
    with place as folder, watch_writes(path) as written_to:
        work = Path(folder)
        copy = work / "upgraded.db"
        step("copying")
        copy_database(path, copy)
        with open_engine(sqlite_url(copy), fast=True) as engine:
            before = _Contents(engine)
            if revision != installed_revision():
                step("upgrading")
                _upgrade(engine, path)
            step("verifying")
            before.verify(engine, copy, path.parent)
            rewritten = _rewrite(engine, [path.parent / "mlruns", path.parent / "mlartifacts"])
        backup = None
        if not dry_run and (revision != installed_revision() or rewritten):
            step("installing")
            backup = back_up(path)
            if written_to():  # asked after the backup, which takes its time
                backup.unlink()
                raise StoreError(f"{path} was written to meanwhile; stop what writes there and run the command again")
            replace_content(path, copy)
    return UpgradeReport(
        database=str(path),
        dry_run=dry_run,
        mlflow_version=mlflow.__version__,
        from_revision=revision,
        to_revision=installed_revision(),
        rows={table: count for table, count in sorted(before.rows.counts.items()) if count},
        uris_rewritten=rewritten,
        backup=None if backup is None else str(backup),
    )


def _existing_file(source: str) -> Path:
    url = database_url(source)
    path = sqlite_path(url)
    if path is None:
        raise ConfigError(
            f"{shown(url)} is a database server, whose schema tracegauge does not upgrade",
            hint=f"back it up with its own tools (pg_dump, …), then run: mlflow db upgrade {shown(url)}",
        )
    if not path.is_file():
        raise ConfigError(f"there is no file {path}", hint="sqlite:///x.db is relative, sqlite:////x.db starts at /")
    return path


def _revision(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise ConfigError(f"{path} is not an SQLite database that can be read: {error}") from error
    if not {"alembic_version", "experiments"} <= tables:
        raise ConfigError(f"{path} is not an MLflow database: it lacks MLflow's tables")
    with open_engine(sqlite_url(path)) as engine, engine.connect() as connection:
        revision = database_revision(connection)
    if revision is None:
        raise ConfigError(f"{path} is not an MLflow database: it has no schema version")
    if not is_known_revision(revision):
        raise ConfigError(
            f"{path} was written by a newer MLflow than the installed {mlflow.__version__} (schema {revision})",
            hint="install the MLflow that wrote it, or a newer one: pip install --upgrade mlflow",
        )
    return revision


def _upgrade(engine: sa.Engine, path: Path) -> None:
    try:
        upgrade_to_installed(engine)
    except Exception as error:  # a step of MLflow's may fail in any way on data it did not expect
        raise StoreError(f"MLflow could not upgrade a copy of {path}: {error}; the database is as it was") from error


class _Contents:
    """What a database holds before its upgrade."""

    def __init__(self, engine: sa.Engine) -> None:
        metadata = reflect(engine)
        self.rows = RowDigests()
        self._traces = TraceDigests()
        self._tables = [table for table in OWNERS if table in metadata.tables]
        # From MLflow 3.17 on, some tags and metadata are columns; rows then don't change any more.
        self._as_rows = "trace_info" not in metadata.tables or "trace_name" in metadata.tables["trace_info"].c
        with engine.connect() as connection:
            for table in self._tables:
                for row in connection.execute(sa.select(*_written_columns(metadata.tables[table]))).mappings():
                    self.rows.add(table, row)
            if not self._as_rows:
                for entity in _traces(connection, metadata):
                    self._traces.add(entity)
            self._experiments = [
                str(one) for one in connection.scalars(sa.text("SELECT experiment_id FROM experiments"))
            ]

    def verify(self, engine: sa.Engine, database: Path, artifact_root: Path) -> None:
        """Raises StoreError unless a database holds the same."""
        tables = [table for table in self._tables if self._as_rows or table not in READ_BY_MLFLOW]
        with engine.connect() as connection:
            differences = self.rows.differences(connection, reflect(engine), tables)
        store = SqlAlchemyStore(str(sqlite_url(database)), artifact_root.as_uri())
        try:
            if not self._as_rows:
                differences += self._traces.differences(store, self._experiments)
        finally:
            store.engine.dispose()
        if differences:
            shown_differences = "; ".join(differences[:5])
            raise StoreError(
                f"after the upgrade the copy does not hold the same ({len(differences)} differences): "
                f"{shown_differences}; the database is as it was"
            )


def _written_columns(table: sa.Table) -> list[sa.Column[object]]:
    return [column for column in table.c if column.computed is None]


def _traces(connection: sa.Connection, metadata: sa.MetaData) -> Iterator[Entity]:
    """The traces of a database before 3.17, as they are read from a file store."""
    tables = metadata.tables
    infos = {row["request_id"]: row for row in connection.execute(sa.select(tables["trace_info"])).mappings()}
    entities = {one: Entity("trace", one, "", [("trace_info", _info(dict(row)))]) for one, row in infos.items()}
    for name in ("trace_tags", "trace_request_metadata"):
        for row in connection.execute(sa.select(tables[name])).mappings():
            if row["request_id"] in entities:
                entities[row["request_id"]].rows.append((name, dict(row)))
    yield from entities.values()


def _info(row: dict[str, object]) -> dict[str, object]:
    """With the columns that came after 2.x."""
    return {"client_request_id": None, "request_preview": None, "response_preview": None} | row


def _rewrite(engine: sa.Engine, roots: list[Path]) -> int:
    with engine.begin() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        moves = find_moves(stored_uris(connection, metadata), roots)
        return rewrite_moved(connection, metadata, moves)
