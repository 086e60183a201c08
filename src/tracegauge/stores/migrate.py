"""Moves a file store to a database: whole, verified, with the source untouched."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow

from tracegauge.config.errors import ConfigError
from tracegauge.stores.artifacts import Artifacts
from tracegauge.stores.errors import SourceChangedError, StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.identities import Identities
from tracegauge.stores.install import Outcome, Staged, install
from tracegauge.stores.locations import database_url, shown
from tracegauge.stores.reading import Reading
from tracegauge.stores.report import MigrationReport
from tracegauge.stores.staging import read_only, verify_database, write_database
from tracegauge.stores.survey import Survey, find_file_store, survey_store
from tracegauge.stores.target import MigrationOptions, TargetPlace, target_place
from tracegauge.stores.work_folder import work_folder


@dataclass(frozen=True)
class Progress:
    """How far a migration is."""

    done: int
    total: int
    step: str


OnProgress = Callable[[Progress], None]


def migrate_file_store(
    source: str, target: str, options: MigrationOptions | None = None, on_progress: OnProgress | None = None
) -> MigrationReport:
    """Migrate a file store (MLflow 2.x or 3.x) to an SQL database, with artifacts and spans.

    Everything is made beside the target under another name, read back and compared, and only then renamed. The source
    is only read. What can't be migrated is skipped and listed in the report.

    Raises ConfigError for a source or target that can't be used, StoreError if writing or verifying failed,
    SourceChangedError if the source was written to meanwhile; the target is then as it was before.
    """
    options = options or MigrationOptions()
    started = datetime.now(UTC)
    root = find_file_store(source)
    url = database_url(target)
    place = target_place(url, options)
    _refuse_inside(root, place)
    findings = Findings()
    survey = survey_store(root, findings)
    step = _Steps(survey, on_progress)
    if options.dry_run:
        artifacts = Artifacts(options.artifacts, None, place.artifact_root, findings)
        tally = read_only(survey, Reading(str(root), artifacts, findings, Identities()), step)
        outcome = Outcome()
    else:
        with ExitStack() as stack:
            work = stack.enter_context(work_folder(place.work_beside))
            staged_artifacts = stack.enter_context(work_folder(place.artifact_root)) / "artifacts"
            if options.artifacts != "keep":
                staged_artifacts.mkdir()  # without files, too: all URIs lead there, and a moved store is known by that
            artifacts = Artifacts(options.artifacts, staged_artifacts, place.artifact_root, findings)
            reading = Reading(str(root), artifacts, findings, Identities())
            database = work / "mlflow.db"
            written = write_database(database, survey, reading, step)
            tally = written.tally
            step("verifying")
            verify_database(database, place.artifact_root, written)
            _refuse_changed(survey, root)
            step("installing")
            outcome = install(
                Staged(database, staged_artifacts), place, merge=options.existing == "merge", findings=findings
            )
    report = MigrationReport(
        source=str(root),
        target=shown(url),
        dry_run=options.dry_run,
        mlflow_version=mlflow.__version__,
        started_at=started.isoformat(timespec="seconds"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        migrated=tally.counts(),
        verified=not options.dry_run,
        artifacts=artifacts.totals,
        experiment_ids=outcome.experiment_ids,
        merged=outcome.merged,
        backup=None if outcome.backup is None else str(outcome.backup),
        report_file=None if options.dry_run else str(place.report),
        findings=findings.items,
    )
    if not options.dry_run:
        try:
            report.write(place.report)
        except OSError as error:
            raise StoreError(
                f"{shown(url)} is migrated and verified, but its report {place.report} could not be written: "
                f"{error.strerror}; without it, this is all that is known: {report.summary()}"
            ) from error
    return report


def _refuse_inside(root: Path, place: TargetPlace) -> None:
    """The source is never touched: nothing may be written inside it."""
    for path in (place.artifact_root, place.database):
        if path is not None and path.resolve().is_relative_to(root.resolve()):
            raise ConfigError(
                f"{path} lies inside the source {root}, which is not written to",
                hint="name a target outside of it; --artifacts keep leaves artifacts where they are",
            )


def _refuse_changed(survey: Survey, root: Path) -> None:
    changes = survey_store(root, Findings()).changes_since(survey)
    if changes:
        shown_changes = ", ".join(changes[:3]) + (", …" if len(changes) > 3 else "")
        raise SourceChangedError(
            f"{root} was written to while it was migrated ({len(changes)} folders: {shown_changes}); "
            "nothing was installed. Stop what writes there and run the command again"
        )


class _Steps:
    """Turns steps into progress: a folder counts once when it is read, and a trace once more for its spans."""

    def __init__(self, survey: Survey, on_progress: OnProgress | None) -> None:
        self._done = 0
        self._total = len(survey.places) + sum(place.kind == "trace" for place in survey.places)
        self._on_progress = on_progress

    def __call__(self, step: str) -> None:
        self._done += step not in ("verifying", "installing")
        if self._on_progress is not None:
            self._on_progress(Progress(min(self._done, self._total), self._total, step))
