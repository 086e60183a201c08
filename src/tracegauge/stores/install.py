"""Gives what was made and verified its final name: the last step of a migration, and the only one that shows."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.locations import shown, sqlite_url
from tracegauge.stores.merge import Merger
from tracegauge.stores.mlflow_schema import open_engine
from tracegauge.stores.report import MergeTotals
from tracegauge.stores.sqlite_files import copy_database, replace_content
from tracegauge.stores.target import TargetPlace
from tracegauge.stores.work_folder import check_movable, move_tree


@dataclass(frozen=True)
class Staged:
    """What was made: a database of the installed schema, and artifacts."""

    database: Path
    artifacts: Path


@dataclass(frozen=True)
class Outcome:
    """What installing it has done."""

    experiment_ids: dict[str, str] = field(default_factory=dict)
    merged: MergeTotals | None = None
    backup: Path | None = None


def install(staged: Staged, place: TargetPlace, *, merge: bool, findings: Findings) -> Outcome:
    """Move a staged store to its target. Raises StoreError; the target's database is then as it was before.

    The artifacts come first and the database last: killed in between, there are artifacts that nothing refers to yet,
    and running the migration again finds them.
    """
    try:
        if staged.artifacts.exists():
            check_movable(staged.artifacts, place.artifact_root)
        if place.database is None or (place.exists and merge):
            return _merge_into(staged, place, findings)
        move_artifacts(staged, place)
        if not place.exists:
            rename_database(staged.database, place.database)
            return Outcome()
        backup = back_up(place.database)
        replace_content(place.database, staged.database)
        return Outcome(backup=backup)
    except OSError as error:
        raise StoreError(f"{shown(place.url)} could not be installed: {error.strerror}") from error
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"{shown(place.url)} could not be written: {getattr(error, 'orig', None) or error}") from error


def move_artifacts(staged: Staged, place: TargetPlace) -> None:
    """Move staged artifacts to where the staged database says that they are."""
    if staged.artifacts.exists():
        move_tree(staged.artifacts, place.artifact_root)


def _merge_into(staged: Staged, place: TargetPlace, findings: Findings) -> Outcome:
    """Everything is written and read back in one transaction: killed at any moment, the target forgets it.

    An SQLite file is written in place, not replaced: a server that has it open would go on with the old one.
    """
    if not place.exists:
        # MLflow makes its own schema.
        SqlAlchemyStore(place.url.render_as_string(hide_password=False), place.artifact_root.as_uri()).engine.dispose()
    backup = back_up(place.database) if place.exists and place.database else None
    with (
        open_engine(sqlite_url(staged.database)) as staged_engine,
        staged_engine.connect() as source,
        open_engine(place.url) as target_engine,
        target_engine.begin() as target,
    ):
        merged = Merger(source, target, findings).merge()
        move_artifacts(staged, place)
    return Outcome(merged.experiment_ids, merged.totals, backup)


def back_up(database: Path) -> Path:
    """Copy an SQLite database beside itself; returns the copy. Raises StoreError."""
    backup = database.with_name(f"{database.name}.backup-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    number = 1
    while backup.exists():
        number += 1
        backup = backup.with_name(f"{database.name}.backup-{datetime.now(UTC):%Y%m%d-%H%M%S}-{number}")
    copy_database(database, backup)
    return backup


def rename_database(staged: Path, target: Path) -> None:
    """Give a finished database its name, and wait until that is on the disk. Raises OSError, StoreError."""
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    _rename_to_free_name(staged, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _rename_to_free_name(staged: Path, target: Path) -> None:
    """Rename, but never over something that has taken the name meanwhile."""
    try:
        target.hardlink_to(staged)
    except FileExistsError as error:
        raise StoreError(f"{target} has come into being meanwhile; run the command again") from error
    except OSError:  # a disk without hard links
        if target.exists():
            raise StoreError(f"{target} has come into being meanwhile; run the command again") from None
        staged.rename(target)
    else:
        staged.unlink()
