"""What a migration did, as one record: written beside the target, and summed up in a line."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.files import write_record
from tracegauge.stores.artifacts import ArtifactTotals
from tracegauge.stores.entities import Entity
from tracegauge.stores.findings import Action, Finding

PARENT_TAG = "mlflow.parentRunId"
_KINDS = {
    "params": "params",
    "tags": "tags",
    "metrics": "metric points",
    "inputs": "inputs and outputs of runs",
    "assessments": "assessments",
    "model_versions": "model versions",
}
"""Tables whose rows are counted by themselves → how they are called."""


class MergeTotals(BaseModel):
    """What became of the entities of a source in a target that held some already."""

    added: dict[str, int] = {}
    already_there: dict[str, int] = {}
    """By kind: ids that the target has already, with the same values."""
    different: dict[str, int] = {}
    """By kind: ids that the target has already, with other values; the target's are kept, and each is a finding."""


class MigrationReport(BaseModel):
    """The report file of a migration."""

    model_config = ConfigDict(extra="forbid")

    report_version: Literal[1] = 1
    source: str
    target: str
    dry_run: bool
    mlflow_version: str
    started_at: str
    """UTC, ISO 8601."""
    finished_at: str
    migrated: dict[str, int]
    """How many of each kind were read and are in the target; `deleted …` and `nested runs` are part of `runs`, …"""
    verified: bool
    """Whether the target was read back and holds what was read. False only for a dry run."""
    artifacts: ArtifactTotals
    experiment_ids: dict[str, str]
    """The experiments that have another id in the target: id in the source → id in the target."""
    merged: MergeTotals | None = None
    backup: str | None = None
    """Where the target was saved that was there before."""
    report_file: str | None = None
    """This file."""
    findings: list[Finding]

    def totals(self) -> dict[Action, int]:
        """How many things were skipped, changed and noted."""
        totals: Counter[Action] = Counter()
        for finding in self.findings:
            totals[finding.action] += finding.count
        return {"skipped": totals["skipped"], "changed": totals["changed"], "noted": totals["noted"]}

    def summary(self) -> str:
        """One line for people."""
        what = ", ".join(f"{self.migrated.get(kind, 0)} {kind}" for kind in ("experiments", "runs", "traces", "spans"))
        totals = self.totals()
        verb = "would be migrated" if self.dry_run else "migrated and verified"
        return (
            f"{what} and {self.artifacts.files} artifact files {verb}; "
            f"{totals['skipped']} skipped, {totals['changed']} changed, {totals['noted']} noted"
        )

    def write(self, path: Path) -> None:
        """Write the report file, atomically. Raises OSError."""
        write_record(path, self)


class Tally:
    """Counts what was read, by kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, entity: Entity) -> None:
        """Count an entity and the rows in it that count by themselves."""
        self._counts[f"{entity.kind}s"] += 1
        if entity.deleted:
            self._counts[f"deleted {entity.kind}s"] += 1
        for table, row in entity.rows:
            if table in _KINDS:
                self._counts[_KINDS[table]] += 1
            if table == "tags" and row["key"] == PARENT_TAG:
                self._counts["nested runs"] += 1

    def add_spans(self, spans: Iterable[object]) -> None:
        """Count spans."""
        self._counts["spans"] += len(list(spans))

    def counts(self) -> dict[str, int]:
        """How many of each kind, by name."""
        return dict(sorted(self._counts.items()))
