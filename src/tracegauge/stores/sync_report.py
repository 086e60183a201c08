"""What a sync did."""

from pydantic import BaseModel, ConfigDict

from tracegauge.stores.findings import Finding


class SyncCounts(BaseModel):
    """What became of runs, or of traces."""

    copied: int = 0
    updated: int = 0
    """Were copied earlier, and had changed since."""
    unchanged: int = 0
    pruned: int = 0
    """Deleted from the source because they are in the target."""


class SyncReport(BaseModel):
    """What one pass over a source did."""

    model_config = ConfigDict(extra="forbid")

    source: str
    target: str
    runs: SyncCounts
    traces: SyncCounts
    artifacts: int
    """Artifact files that were copied."""
    spilled: int
    """Traces that the tracker had left on disk, and that are in the target now."""
    run_ids: dict[str, str]
    """Runs that were copied or updated: id in the source → id in the target."""
    findings: list[Finding]
    """What was refused by the target or is not copied at all, with the reason."""

    @property
    def complete(self) -> bool:
        """Whether everything that sync copies is in the target."""
        return not any(finding.action == "skipped" for finding in self.findings)

    def summary(self) -> str:
        """One line for people."""
        parts = []
        for kind, counts in (("runs", self.runs), ("traces", self.traces)):
            text = f"{counts.copied} {kind} copied, {counts.updated} updated, {counts.unchanged} there already"
            parts.append(text + (f", {counts.pruned} pruned" if counts.pruned else ""))
        parts.append(f"{self.artifacts} artifact files copied")
        if self.spilled:
            parts.append(f"{self.spilled} traces taken from the tracker's spill files")
        if refused := sum(finding.count for finding in self.findings if finding.action == "skipped"):
            parts.append(f"{refused} NOT copied")
        return "; ".join(parts)
