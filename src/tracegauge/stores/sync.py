"""Copies what a store holds to another that is in use: a fallback store goes home."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from mlflow.exceptions import MlflowException

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.patience import Patience
from tracegauge.stores.sync_ends import Ends, open_ends
from tracegauge.stores.sync_marks import Marks
from tracegauge.stores.sync_report import SyncReport
from tracegauge.stores.sync_runs import RunSync
from tracegauge.stores.sync_spill import SPILL_FOLDER, take_spilled
from tracegauge.stores.sync_traces import TraceSync
from tracegauge.tracking.destination import resolve_destination
from tracegauge.tracking.environment import environment
from tracegauge.tracking.server_check import without_password


@dataclass(frozen=True)
class SyncOptions:
    """How to sync."""

    prune: bool = False
    """Delete from the source what the target has; runs can be restored until `mlflow gc`, traces can't."""
    give_up_after_s: float | None = 300.0
    """How long to try again while the target can't be reached, in seconds; None: for ever."""
    spill_folder: Path = SPILL_FOLDER
    """Where the tracker keeps traces that no store would take."""
    artifact_root: Path | None = None
    """Folder for artifacts of new experiments, if the target is a database. Default: see `MigrationOptions`."""
    on_pause: Callable[[str, float], None] = field(default=lambda _reason, _seconds: None)
    """Called before a pause with the reason and its length in seconds."""
    on_progress: Callable[[int, int, str], None] = field(default=lambda _done, _total, _kind: None)
    """Called after each run and trace with how many are settled, of how many, and `runs` or `traces`."""


def sync(source_uri: str, target_uri: str, options: SyncOptions | None = None) -> SyncReport:
    """Copy the runs and traces of a database to a tracking server or another database; once.

    What was copied before is found by its id, whatever became of earlier passes, and not copied again; what has changed
    since is updated. Trace ids are kept. MLflow gives runs new ids: the source's id is kept as the tag
    `tracegauge.source_run_id`, and parents and links from traces are mapped.

    Raises ConfigError for a URI that can't be used, StoreError when the target could not be reached for too long or
    another sync of this source is running.
    """
    options = options or SyncOptions()
    source_uri, target_uri = _in_one_form(source_uri), _in_one_form(target_uri)
    if without_password(source_uri) == without_password(target_uri):
        raise ConfigError("--from and --to are the same store", hint="name two different ones")
    patience = Patience(options.give_up_after_s, options.on_pause)
    # MLflow's own retries would repeat requests that may have been carried out, and hide how long the server is away.
    with environment({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}), _alone(source_uri):
        ends = open_ends(source_uri, target_uri, patience, options.artifact_root)
        try:
            return _pass(ends, options)
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(without_password(f"{target_uri}: {' '.join(str(error).split())}")) from error


def watch(
    source_uri: str,
    target_uri: str,
    options: SyncOptions,
    on_report: Callable[[SyncReport], None],
    interval_s: float = 30.0,
) -> None:
    """Sync again and again until interrupted; waits for a target that is away however long that is."""
    while True:
        on_report(sync(source_uri, target_uri, options))
        time.sleep(interval_s)


def _in_one_form(uri: str) -> str:
    """The same text for the same store wherever sync is started: locks and marks are found by it."""
    return resolve_destination(uri).uri if uri.startswith("sqlite:") else uri.rstrip("/")


def _pass(ends: Ends, options: SyncOptions) -> SyncReport:
    findings = Findings()
    marks = Marks(ends.source, ends.target_uri)
    ends.map_experiments()
    runs = RunSync(ends, marks, findings)
    total = _count(ends)
    settled_runs = []
    for run in runs.copy_all():
        settled_runs.append(run)
        options.on_progress(len(settled_runs), max(total, len(settled_runs)), "runs")
    traces = TraceSync(ends, marks, runs.run_ids, findings)
    settled_traces = []
    for trace in traces.copy_all():
        settled_traces.append(trace)
        done = len(settled_runs) + len(settled_traces)
        options.on_progress(done, max(total, done), "traces")
    spilled = take_spilled(options.spill_folder, ends.source_uri, ends, traces, findings)
    if options.prune:
        refused = {finding.path for finding in findings.items if finding.action == "skipped"}
        for trace in settled_traces:
            if trace.trace_id not in refused:
                traces.prune(trace)
        for run in reversed(settled_runs):
            runs.prune(run)
    _note_what_stays(ends, findings)
    return SyncReport(
        source=without_password(ends.source_uri),
        target=without_password(ends.target_uri),
        runs=runs.counts,
        traces=traces.counts,
        artifacts=runs.artifacts,
        spilled=spilled,
        run_ids=runs.changed_ids,
        findings=findings.items,
    )


def _count(ends: Ends) -> int:
    """How many runs and traces there are to be settled; more may come meanwhile."""
    ids = [int(one) for one in ends.experiment_ids]
    runs = sa.table("runs", sa.column("experiment_id"), sa.column("lifecycle_stage"))
    traces = sa.table("trace_info", sa.column("experiment_id"))
    counts = (
        sa.select(sa.func.count()).where(runs.c.experiment_id.in_(ids), runs.c.lifecycle_stage == "active"),
        sa.select(sa.func.count()).where(traces.c.experiment_id.in_(ids)),
    )
    with ends.source.engine.connect() as connection:
        return sum(connection.scalar(count) or 0 for count in counts)


def _note_what_stays(ends: Ends, findings: Findings) -> None:
    """Tell what of the source sync does not copy."""
    runs = sa.table("runs", sa.column("experiment_id"), sa.column("lifecycle_stage"))
    traces = sa.table("trace_info", sa.column("experiment_id"))
    logged = sa.table("logged_models", sa.column("experiment_id"), sa.column("lifecycle_stage"))
    experiments = sa.table("experiments", sa.column("experiment_id"), sa.column("lifecycle_stage"))
    ids = [int(one) for one in ends.experiment_ids]
    gone = sa.select(experiments.c.experiment_id).where(experiments.c.lifecycle_stage == "deleted")
    stays = {
        "deleted run": sa.select(runs).where(runs.c.experiment_id.in_(ids), runs.c.lifecycle_stage == "deleted"),
        "run of a deleted experiment": sa.select(runs).where(runs.c.experiment_id.in_(gone)),
        "trace of a deleted experiment": sa.select(traces).where(traces.c.experiment_id.in_(gone)),
        "logged model": sa.select(logged).where(logged.c.experiment_id.in_(ids), logged.c.lifecycle_stage == "active"),
        "registered model": sa.select(sa.table("registered_models", sa.column("name"))),
    }
    with ends.source.engine.connect() as connection:
        for what, rows in stays.items():
            count = connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery()))
            if count:
                findings.noted(what, without_password(ends.source_uri), "not copied", count)


@contextmanager
def _alone(source_uri: str) -> Iterator[None]:
    """Keeps two syncs of one source apart: both would find a run missing, and both would copy it."""
    name = hashlib.sha256(without_password(source_uri).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"tracegauge-sync-{os.getuid()}-{name}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(f"another sync of {without_password(source_uri)} is running; wait until it is done") from None
    try:
        yield
    finally:
        os.close(lock)
