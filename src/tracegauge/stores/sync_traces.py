"""Copies traces with spans and assessments, under their own ids; links to runs lead to the runs' copies."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from mlflow.entities import Assessment, Span, Trace, TraceInfo, TraceLocation
from mlflow.exceptions import MlflowException

from tracegauge.stores.findings import Findings
from tracegauge.stores.mlflow_traces import linked_traces, trace_artifacts
from tracegauge.stores.spans import ARTIFACT_LOCATION_TAG, IN_DATABASE, SPAN_FILE, SPANS_LOCATION_TAG
from tracegauge.stores.sync_ends import Ends
from tracegauge.stores.sync_marks import Mark, Marks, trace_digest, without_marks
from tracegauge.stores.sync_report import SyncCounts
from tracegauge.stores.trace_digests import search_all_traces
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.writers import open_writer

_SOURCE_RUN = "mlflow.sourceRun"
_BATCH = 20


class TraceSync:
    """Copies the traces of a source. Interrupted at any moment, the next pass goes on where this one was."""

    def __init__(self, ends: Ends, marks: Marks, run_ids: dict[str, str], findings: Findings) -> None:
        """`run_ids`: run id in the source → id in the target."""
        self.counts = SyncCounts()
        self._ends = ends
        self._marks = marks
        self._run_ids = run_ids
        self._findings = findings
        self._writer = ends.patience(lambda: open_writer(ends.target_uri))
        self._changed: set[str] = set()

    def copy_all(self) -> Iterator[TraceInfo]:
        """Copy every trace that is new or has changed; yields each trace of the source when it is settled."""
        waiting: list[TraceInfo] = []
        # The whole list first: marking a trace while pages are read could shift them.
        for info in list(search_all_traces(self._ends.source, self._ends.experiment_ids)):
            mark = self._marks.of(info.tags)
            if mark is None:
                waiting.append(info)
            elif mark.digest == trace_digest(info):
                self.counts.unchanged += 1
                yield info
            else:
                self._update(info)
                yield info
            if len(waiting) == _BATCH:
                self._copy(waiting)
                yield from waiting
                waiting = []
        self._copy(waiting)
        yield from waiting
        self._link_to_runs()

    def _copy(self, infos: Sequence[TraceInfo]) -> None:
        if not infos:
            return
        traces = self._read(infos)
        parcels = [self._parcel(trace) for trace in traces]
        refused = self.write(parcels)
        for info, trace in zip(infos, traces, strict=True):
            if info.trace_id not in refused and self._finish(info, len(trace.data.spans)):
                self._mark(info)
                self.counts.copied += 1

    def write(self, parcels: Sequence[Parcel]) -> set[str]:
        """Write parcels to the target; returns the ids of those that it refuses for good, which are findings.

        Raises StoreError when patience has run out.
        """
        unsent, refused = list(parcels), set()

        def attempt() -> None:
            outcome = self._writer.write(unsent)
            unsent[:] = outcome.unsent
            for parcel in outcome.refused:
                refused.add(parcel.trace_id)
                reason = " ".join(str(outcome.error).split())
                self._findings.skipped("trace", parcel.trace_id, f"the target refuses it: {reason}")
            if unsent and outcome.error is not None:
                raise outcome.error

        self._ends.patience(attempt)
        return refused

    def _read(self, infos: Sequence[TraceInfo]) -> list[Trace]:
        """The traces with their spans, from the database or from their artifacts."""
        in_database = [one.trace_id for one in infos if one.tags.get(SPANS_LOCATION_TAG) == IN_DATABASE]
        found = {trace.info.trace_id: trace for trace in self._ends.source.batch_get_traces(in_database, None)}
        return [found.get(info.trace_id) or self._read_one(info) for info in infos]

    def _read_one(self, info: TraceInfo) -> Trace:
        try:
            return self._ends.source_client.get_trace(info.trace_id)
        except MlflowException as error:
            self._findings.noted("trace", info.trace_id, f"copied without spans, which can't be read: {error}")
            return Trace.from_dict({"info": info.to_dict(), "data": {"spans": []}})

    def _parcel(self, trace: Trace) -> Parcel:
        info = trace.info
        experiment_id = self._ends.experiment_ids[info.experiment_id]
        metadata = dict(info.trace_metadata)
        if _SOURCE_RUN in metadata:
            # A run that is not in the source was never there: it is in the target, under this id.
            metadata[_SOURCE_RUN] = self._run_ids.get(metadata[_SOURCE_RUN], metadata[_SOURCE_RUN])
        copied = replace(
            info,
            trace_location=TraceLocation.from_experiment_id(experiment_id),
            trace_metadata=metadata,
            tags=_own_tags(info),
            assessments=[self._assessment(one) for one in info.assessments if not one.overrides],
        )
        spans: tuple[Span, ...] = tuple(trace.data.spans)
        return Parcel(info.trace_id, experiment_id, spans, copied)

    def _assessment(self, assessment: Assessment) -> Assessment:
        assessment.run_id = self._run_ids.get(assessment.run_id or "", assessment.run_id)
        return assessment

    def _finish(self, info: TraceInfo, spans: int) -> bool:
        """Add what can't be written along with a trace, and look whether all is there; a finding if not."""
        try:
            there = self._ends.patience(lambda: self._ends.target.get_trace_info(info.trace_id))
            self._ends.patience(lambda: self._copy_files(info, there))
            # Those that override another come after it: MLflow then marks the other as no longer valid.
            for one in sorted(info.assessments, key=lambda one: (one.overrides is not None, one.create_time_ms)):
                self._ends.patience(partial(self._ensure_assessment, info, one))
            there = self._ends.patience(lambda: self._ends.target.get_trace_info(info.trace_id))
            stored = self._ends.patience(lambda: self._ends.target.batch_get_traces([info.trace_id], None))
        except MlflowException as error:
            self._findings.skipped("trace", info.trace_id, f"the target refuses it: {' '.join(str(error).split())}")
            return False
        missing = {one.assessment_id for one in info.assessments} - {one.assessment_id for one in there.assessments}
        lacking = [f"{len(missing)} assessments"] if missing else []
        if there.tags.get(SPANS_LOCATION_TAG) == IN_DATABASE and stored and len(stored[0].data.spans) < spans:
            lacking.append(f"{spans - len(stored[0].data.spans)} spans")
        if lacking:
            self._findings.skipped("trace", info.trace_id, f"its copy lacks {' and '.join(lacking)}")
        return not lacking

    def _copy_files(self, info: TraceInfo, there: TraceInfo) -> None:
        """Copy the files of a trace other than its spans, such as attachments."""
        if ARTIFACT_LOCATION_TAG not in info.tags or ARTIFACT_LOCATION_TAG not in there.tags:
            return
        source = trace_artifacts(self._ends.source_uri, info)
        files = [entry.path for entry in source.list_artifacts() if not entry.is_dir and entry.path != SPAN_FILE]
        if not files:
            return
        target = trace_artifacts(self._ends.target_uri, there)
        known = {entry.path: entry.file_size for entry in target.list_artifacts()}
        with tempfile.TemporaryDirectory(prefix="tracegauge-sync-") as folder:
            for path in files:
                if path not in known:
                    target.log_artifact(source.download_artifacts(path, folder))

    def _ensure_assessment(self, info: TraceInfo, assessment: Assessment) -> None:
        """Add an assessment if the copy has it not, update it if it has changed; safe to repeat."""
        there = self._ends.target.get_trace_info(info.trace_id).assessments
        stored = next((one for one in there if one.assessment_id == assessment.assessment_id), None)
        if stored is None:
            self._ends.target.create_assessment(self._assessment(assessment))
        elif _content(stored) != _content(assessment):
            self._ends.target.update_assessment(
                trace_id=info.trace_id,
                assessment_id=assessment.assessment_id,
                name=assessment.name,
                expectation=assessment.expectation,
                feedback=assessment.feedback,
                rationale=assessment.rationale,
                metadata=assessment.metadata,
            )

    def _update(self, info: TraceInfo) -> None:
        """Bring a copy up to date: tags and assessments, or all of it if the trace had not ended."""
        there = self._ends.patience(lambda: self._ends.target.get_trace_info(info.trace_id))
        trace = self._read([info])[0]
        if there.state != info.state and self.write([self._parcel(trace)]):
            return
        for key, value in _own_tags(info).items():
            if there.tags.get(key) != value:
                self._ends.patience(partial(self._ends.target.set_trace_tag, info.trace_id, key, value))
        if self._finish(info, len(trace.data.spans)):
            self._mark(info)
            self.counts.updated += 1

    def _mark(self, info: TraceInfo) -> None:
        self._marks.mark_trace(info.trace_id, Mark(info.trace_id, trace_digest(info)))
        self._changed.add(info.trace_id)

    def _link_to_runs(self) -> None:
        """Repeat links that were made after a trace was, as evaluations make them."""
        for trace_id, run_id in linked_traces(self._ends.source):
            if trace_id in self._changed and run_id in self._run_ids:
                self._ends.patience(partial(self._ends.target.link_traces_to_run, [trace_id], self._run_ids[run_id]))

    def prune(self, info: TraceInfo) -> None:
        """Delete a trace from the source if the target has it."""
        try:
            self._ends.patience(lambda: self._ends.target.get_trace_info(info.trace_id))
        except MlflowException:
            self._findings.noted("trace", info.trace_id, "not pruned: the target does not have it any more")
            return
        self._ends.source.delete_traces(info.experiment_id, trace_ids=[info.trace_id])
        self.counts.pruned += 1


def _own_tags(info: TraceInfo) -> dict[str, str]:
    """A trace's tags without those that tell where a store keeps it."""
    return {
        key: value
        for key, value in without_marks(info.tags).items()
        if key not in (ARTIFACT_LOCATION_TAG, SPANS_LOCATION_TAG)
    }


def _content(assessment: Assessment) -> tuple[object, ...]:
    """What of an assessment can change."""
    held = assessment.feedback or assessment.expectation
    return assessment.name, repr(held), assessment.rationale, assessment.metadata or {}
