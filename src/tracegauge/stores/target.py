"""The target of a migration: where it is, and whether it may be written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tracegauge.config.errors import ConfigError
from tracegauge.stores.artifacts import ArtifactMode
from tracegauge.stores.locations import shown, sqlite_path
from tracegauge.stores.mlflow_schema import installed_revision, revision_at

Existing = Literal["refuse", "merge", "overwrite"]


@dataclass(frozen=True)
class MigrationOptions:
    """How to migrate."""

    artifacts: ArtifactMode = "copy"
    artifact_root: Path | None = None
    """Folder for artifacts. Default: `mlartifacts` beside the database (where `mlflow server` keeps them), or in the
    current directory for a database server."""
    existing: Existing = "refuse"
    """What to do if the target exists: nothing, add to it what it has not, or replace it and keep a backup."""
    dry_run: bool = False


@dataclass(frozen=True)
class TargetPlace:
    """Where a migration goes."""

    url: sa.URL
    database: Path | None
    """The file of an SQLite database."""
    artifact_root: Path
    exists: bool
    """Whether there is a database with MLflow's tables already."""

    @property
    def report(self) -> Path:
        """The report file."""
        beside = self.work_beside
        return beside.with_name(f"{beside.name}.migration.json")

    @property
    def work_beside(self) -> Path:
        """What the work folder is made beside of: on the same disk as the target, so that renaming is all it takes."""
        return self.database or self.artifact_root.with_name(f"{self.url.database or 'database'}.db")


def target_place(url: sa.URL, options: MigrationOptions) -> TargetPlace:
    """Look at the target without changing it.

    Raises ConfigError if it exists and neither merging nor overwriting is wanted, if it can't be reached, or if it is a
    database of another MLflow version.
    """
    database = sqlite_path(url)
    root = options.artifact_root or (database.parent if database else Path.cwd()) / "mlartifacts"
    exists = database.exists() if database else True
    revision = revision_at(url) if exists else None
    if database is None:
        exists = revision is not None
        if options.existing == "overwrite":
            raise ConfigError(
                f"--overwrite replaces files only; {shown(url)} is a database server",
                hint="use --merge, or make a new database and migrate to that",
            )
    if exists and options.existing == "refuse":
        raise ConfigError(
            f"{shown(url)} exists already",
            hint="--merge adds to it what it has not yet; --overwrite replaces it and keeps a backup",
        )
    if exists and options.existing == "merge":
        require_installed_revision(url, revision)
    return TargetPlace(url, database, root.absolute(), exists)


def require_installed_revision(url: sa.URL, revision: str | None) -> None:
    """Raises ConfigError unless a database has the schema of the installed MLflow."""
    if revision is None:
        raise ConfigError(
            f"{shown(url)} is not an MLflow database: it has no schema version",
            hint="name another target; --overwrite replaces this one and keeps a backup",
        )
    if revision != installed_revision():
        raise ConfigError(
            f"{shown(url)} has another schema ({revision}) than the installed MLflow ({installed_revision()})",
            hint=f"upgrade it first: tracegauge migrate {shown(url)}",
        )
