"""Copies runs with params, metrics, tags, datasets, artifacts and nesting; each is found again by the source's id."""

import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunStatus, RunTag, ViewType

from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.paging import all_pages
from tracegauge.stores.report import PARENT_TAG
from tracegauge.stores.sync_ends import Ends
from tracegauge.stores.sync_marks import SOURCE_RUN_TAG, Mark, Marks, run_digest, without_marks
from tracegauge.stores.sync_report import SyncCounts

_NAME_TAG = "mlflow.runName"
_METRICS_PER_REQUEST = 500
_PAIRS_PER_REQUEST = 100
_PAGE = 500
_T = TypeVar("_T")


class RunSync:
    """Copies the runs of a source. Interrupted at any moment, the next pass goes on where this one was."""

    def __init__(self, ends: Ends, marks: Marks, findings: Findings) -> None:
        self.counts = SyncCounts()
        self.artifacts = 0
        self.run_ids: dict[str, str] = {}
        """Run id in the source → id in the target, for all runs that are there."""
        self.changed_ids: dict[str, str] = {}
        """The part of `run_ids` that was copied or updated in this pass."""
        self._ends = ends
        self._marks = marks
        self._findings = findings
        self._copies: dict[str, str] = {}
        self._points: dict[str, int] = {}

    def copy_all(self) -> Iterator[Run]:
        """Copy every run that is new or has changed; yields each run of the source when it is settled."""
        runs = {run.info.run_id: run for run in self._source_runs()}
        if any(self._marks.of(run.data.tags) is None for run in runs.values()):
            self._copies = self._ends.patience(self._find_copies)
        self._points = self._count_points()
        for run in _parents_first(runs):
            self._settle(run)
            yield run

    def _source_runs(self) -> Iterator[Run]:
        ids = list(self._ends.experiment_ids)
        search = self._ends.source.search_runs
        return all_pages(lambda token: search(ids, "", ViewType.ACTIVE_ONLY, _PAGE, page_token=token))

    def _count_points(self) -> dict[str, int]:
        """How many metric points each run has: a late one may be older than what a search tells."""
        run_id = sa.column("run_uuid")
        query = sa.select(run_id, sa.func.count()).select_from(sa.table("metrics", run_id)).group_by(run_id)
        with self._ends.source.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _find_copies(self) -> dict[str, str]:
        """Runs of the target that are copies: source id → id. The oldest, should there ever be two."""
        found: dict[str, str] = {}
        wanted = f"tags.`{SOURCE_RUN_TAG}` LIKE '%'"
        for experiment_id in set(self._ends.experiment_ids.values()):
            search = partial(
                self._ends.target.search_runs,
                [experiment_id],
                wanted,
                ViewType.ALL,
                _PAGE,
                ["attributes.start_time ASC"],
            )
            for run in all_pages(search):
                found.setdefault(run.data.tags[SOURCE_RUN_TAG], run.info.run_id)
        return found

    def _settle(self, run: Run) -> None:
        source_id, digest = run.info.run_id, run_digest(run, self._points.get(run.info.run_id, 0))
        mark = self._marks.of(run.data.tags)
        if mark is not None:
            self.run_ids[source_id] = mark.target_id
            if mark.digest == digest:
                self.counts.unchanged += 1
                return
        try:
            target_id = self._copy(run, mark)
        except StoreError:
            raise
        except Exception as error:  # the target's, the artifacts', whatever: this run stays, the others go on
            self._findings.skipped("run", source_id, f"the target refuses it: {' '.join(str(error).split())}")
            return
        self.run_ids[source_id] = self.changed_ids[source_id] = target_id
        self._marks.mark_run(source_id, Mark(target_id, digest))
        self.counts.copied += mark is None
        self.counts.updated += mark is not None

    def _copy(self, run: Run, mark: Mark | None) -> str:
        """Bring a run over, or what of it is missing there; safe to repeat. Its status comes last.

        Each request is repeated by itself: where many fail, a run that begins anew would never come to its end.
        """
        info, target, patience = run.info, self._ends.target, self._ends.patience
        known = mark.target_id if mark else self._copies.get(info.run_id)
        target_id = known or patience(lambda: self._find_copy(run) or self._create(run))
        there = patience(partial(target.get_run, target_id))
        if there.info.lifecycle_stage != "active":
            self._findings.noted("run", info.run_id, f"its copy {target_id} was deleted in the target, and stays so")
            return target_id
        params = {key: value for key, value in run.data.params.items() if key not in there.data.params}
        for pairs in _chunks(params.items(), _PAIRS_PER_REQUEST):
            patience(partial(target.log_batch, target_id, [], [Param(key, value) for key, value in pairs], []))
        tags = {key: value for key, value in self._tags(run).items() if there.data.tags.get(key) != value}
        for pairs in _chunks(tags.items(), _PAIRS_PER_REQUEST):
            patience(partial(target.log_batch, target_id, [], [], [RunTag(key, value) for key, value in pairs]))
        for points in _chunks(self._missing_points(run, there), _METRICS_PER_REQUEST):
            patience(partial(target.log_batch, target_id, points, [], []))
        if run.inputs.dataset_inputs:
            patience(partial(target.log_inputs, target_id, run.inputs.dataset_inputs))
        self._copy_artifacts(info.run_id, target_id)
        status = RunStatus.from_string(info.status)
        patience(partial(target.update_run_info, target_id, status, info.end_time, info.run_name))
        return target_id

    def _find_copy(self, run: Run) -> str | None:
        """Look for a copy that an earlier call made although its answer was lost."""
        experiment_id = self._ends.experiment_ids[run.info.experiment_id]
        found = self._ends.target.search_runs(
            [experiment_id], f"tags.`{SOURCE_RUN_TAG}` = '{run.info.run_id}'", ViewType.ALL, 1
        )
        return str(found[0].info.run_id) if found else None

    def _create(self, run: Run) -> str:
        info = run.info
        created = self._ends.target.create_run(
            self._ends.experiment_ids[info.experiment_id],
            info.user_id,
            info.start_time,
            # In one request with the run: no moment at which it is there and can't be found again.
            [RunTag(SOURCE_RUN_TAG, info.run_id)],
            info.run_name,
        )
        return str(created.info.run_id)

    def _tags(self, run: Run) -> dict[str, str]:
        tags = without_marks(run.data.tags)
        if PARENT_TAG in tags:
            # A parent that is not in the source was never there: it is in the target, under this id.
            tags[PARENT_TAG] = self.run_ids.get(tags[PARENT_TAG], tags[PARENT_TAG])
        tags.pop(_NAME_TAG, None)
        return tags

    def _missing_points(self, run: Run, there: Run) -> Iterator[Metric]:
        for key in run.data.metrics:
            points = self._ends.source.get_metric_history(run.info.run_id, key)
            known = set()
            if key in there.data.metrics:
                # The client turns the pages of a server; 3.9 answers with none where no size of a page is named.
                read = self._ends.target_client.get_metric_history
                history = self._ends.patience(partial(read, there.info.run_id, key))
                known = {_point(one) for one in history}
            yield from (one for one in points if _point(one) not in known)

    def _copy_artifacts(self, source_id: str, target_id: str) -> None:
        wanted = dict(_artifact_sizes(self._ends.source_client, source_id))
        if not wanted:
            return
        there = self._ends.patience(lambda: dict(_artifact_sizes(self._ends.target_client, target_id)))
        for path, size in wanted.items():
            if there.get(path) == size:
                continue
            with tempfile.TemporaryDirectory(prefix="tracegauge-sync-") as folder:
                local = self._ends.source_client.download_artifacts(source_id, path, folder)
                parent = path.rpartition("/")[0]
                self._ends.patience(partial(self._ends.target_client.log_artifact, target_id, local, parent or None))
            self.artifacts += 1

    def prune(self, run: Run) -> None:
        """Delete a run from the source if the target has all of it. It can be restored until `mlflow gc` is run."""
        target_id = self.run_ids.get(run.info.run_id)
        if target_id is None:
            return
        there = self._ends.patience(partial(self._ends.target.get_run, target_id))
        if (
            run.data.params.items() <= there.data.params.items()
            and run.data.metrics.keys() <= there.data.metrics.keys()
        ):
            self._ends.source.delete_run(run.info.run_id)
            self.counts.pruned += 1
        else:
            self._findings.noted("run", run.info.run_id, f"not pruned: its copy {target_id} lacks some of it")


def _parents_first(runs: dict[str, Run]) -> Iterator[Run]:
    """Runs so that a parent comes before its children, whatever order they were started in."""
    done: set[str] = set()
    for start in runs:
        chain = []
        one: str | None = start
        while one in runs and one not in done and one not in chain:
            chain.append(one)
            one = runs[one].data.tags.get(PARENT_TAG)
        for one in reversed(chain):
            done.add(one)
            yield runs[one]


def _point(metric: Metric) -> tuple[str, int, int]:
    return repr(metric.value), metric.timestamp, metric.step


def _artifact_sizes(client: MlflowClient, run_id: str, folder: str | None = None) -> Iterator[tuple[str, int | None]]:
    """(path, size in bytes) of all artifacts of a run."""
    for entry in client.list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from _artifact_sizes(client, run_id, entry.path)
        else:
            yield entry.path, entry.file_size


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    chunk: list[_T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
