"""Gives what was made and verified its final name: the last step of a migration, and the only one that shows."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.report import MergeTotals
from tracegauge.stores.sqlite_files import copy_database, drop_write_ahead_log
from tracegauge.stores.target import MigrationOptions, TargetPlace
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


def install(staged: Staged, place: TargetPlace, options: MigrationOptions, findings: Findings) -> Outcome:
    """Move a staged store to its target. Raises StoreError; the target's database is then as it was before.

    The artifacts come first and the database last: killed in between, there are artifacts that nothing refers to yet,
    and running the migration again finds them.
    """
    del options, findings
    assert place.database is not None
    try:
        if staged.artifacts.exists():
            check_movable(staged.artifacts, place.artifact_root)
            move_tree(staged.artifacts, place.artifact_root)
        backup = _back_up(place.database) if place.exists else None
        _rename(staged.database, place.database, replace=place.exists)
    except OSError as error:
        raise StoreError(f"{place.database} could not be installed: {error.strerror}") from error
    return Outcome(backup=backup)


def _back_up(database: Path) -> Path:
    backup = database.with_name(f"{database.name}.backup-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    copy_database(database, backup)
    drop_write_ahead_log(database)
    return backup


def _rename(staged: Path, target: Path, *, replace: bool) -> None:
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    if replace:
        staged.replace(target)
    else:
        # Fails if something has taken the name meanwhile, where a rename would overwrite it.
        target.hardlink_to(staged)
        staged.unlink()
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
