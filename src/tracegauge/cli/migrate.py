"""`tracegauge migrate`: a file store to a database, or an old database to the installed MLflow's schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.config.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from tracegauge.stores.migrate import Progress
    from tracegauge.stores.report import MigrationReport

COULD_NOT = 4
_SHOWN = 20


class ArtifactChoice(StrEnum):
    """What becomes of artifacts."""

    COPY = "copy"
    LINK = "link"
    KEEP = "keep"


def migrate(
    source: Annotated[str, typer.Argument(help="./mlruns, or sqlite:///old.db.")],
    target: Annotated[
        str | None, typer.Argument(help="sqlite:///mlflow.db or postgresql+psycopg2://…; none for an old database.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, and write nothing.")] = False,
    merge: Annotated[bool, typer.Option("--merge", help="Add to an existing target what it has not yet.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing SQLite target; a backup is kept beside it.")
    ] = False,
    artifacts: Annotated[
        ArtifactChoice, typer.Option(help="copy: beside the target; link: hard links; keep: stay where they are.")
    ] = ArtifactChoice.COPY,
    artifact_root: Annotated[
        Path | None, typer.Option(help="Folder for artifacts. Default: mlartifacts beside the target.")
    ] = None,
) -> int:
    """Move a file store (MLflow 2.x or 3.x) to a database, with artifacts and spans; or upgrade an old database.

    Everything is verified before it gets its name, and the source is only read. What can't be migrated is listed in
    a report file beside the target.

    Examples: tracegauge migrate ./mlruns sqlite:///mlflow.db

    tracegauge migrate sqlite:///mlflow.db
    """
    from rich.console import Console

    from tracegauge.stores.errors import StoreError
    from tracegauge.stores.quiet import schema_steps_untold

    console = Console(highlight=False, soft_wrap=True)
    try:
        with schema_steps_untold():
            if target is not None:
                return _migrate(source, target, console, dry_run, merge, overwrite, artifacts, artifact_root)
            _refuse_without_target(source, merge=merge, overwrite=overwrite, artifact_root=artifact_root)
            _upgrade(source, console, dry_run=dry_run)
            return 0
    except StoreError as error:
        typer.echo(f"error: {error}", err=True)
        return COULD_NOT


def _refuse_without_target(source: str, *, merge: bool, overwrite: bool, artifact_root: Path | None) -> None:
    from tracegauge.tracking.server_check import without_password

    command = f"tracegauge migrate {without_password(source)}"
    if "://" not in source or source.startswith("file:"):
        raise ConfigError("a file store needs a target", hint=f"{command} sqlite:///mlflow.db")
    if merge or overwrite or artifact_root is not None:
        raise ConfigError(
            "--merge, --overwrite and --artifact-root are for a file store that moves to a target",
            hint=f"an old database is upgraded in its place, and backed up first: {command}",
        )


def _migrate(
    source: str,
    target: str,
    console: "Console",
    dry_run: bool,
    merge: bool,
    overwrite: bool,
    artifacts: ArtifactChoice,
    artifact_root: Path | None,
) -> int:
    from tracegauge.stores.migrate import migrate_file_store
    from tracegauge.stores.target import MigrationOptions

    if merge and overwrite:
        raise ConfigError("--merge and --overwrite can't both be", hint="name one of them")
    options = MigrationOptions(
        artifacts=artifacts.value,
        artifact_root=artifact_root,
        existing="merge" if merge else "overwrite" if overwrite else "refuse",
        dry_run=dry_run,
    )
    with _progress(console) as on_progress:
        report = migrate_file_store(source, target, options, on_progress)
    _print_report(report, console)
    return 0


def _upgrade(source: str, console: "Console", *, dry_run: bool) -> None:
    from tracegauge.cli.progress import spinner
    from tracegauge.stores.schema_upgrade import migrate_database

    with spinner(console, "looking at the database") as tell:
        report = migrate_database(source, dry_run=dry_run, on_step=tell)
    console.print(report.summary())
    if report.backup:
        console.print(f"The database as it was: {report.backup}")


def _print_report(report: "MigrationReport", console: "Console") -> None:
    # A dry run writes no report file: everything is told here.
    shown = report.findings if report.dry_run else report.findings[:_SHOWN]
    for finding in shown:
        times = f" ({finding.count} times)" if finding.count > 1 else ""
        console.print(f"{finding.action} {finding.kind}: {finding.path}: {finding.reason}{times}", markup=False)
    if len(report.findings) > len(shown):
        console.print(f"… and {len(report.findings) - len(shown)} more")
    for old, new in report.experiment_ids.items():
        console.print(f"experiment {old} has the id {new} in the target")
    if report.merged is not None:
        for what, counts in (
            ("added", report.merged.added),
            ("there already", report.merged.already_there),
            ("there already with other values, which are kept", report.merged.different),
        ):
            if any(counts.values()):
                console.print(f"{what}: " + ", ".join(f"{count} {kind}s" for kind, count in counts.items() if count))
    if report.backup:
        console.print(f"The target as it was: {report.backup}")
    console.print(report.summary())
    if report.report_file:
        console.print(f"Everything in detail: {report.report_file}")


@contextmanager
def _progress(console: "Console") -> Iterator["Callable[[Progress], None]"]:
    from tracegauge.cli.progress import progress_bar

    with progress_bar(console, "finding what is there") as tell:
        yield lambda progress: tell(progress.done, progress.total, progress.step)
