"""What a cell's samples say of one metric, block by block, and which blocks say nothing and why."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from tracegauge.results import Metric, Sample
from tracegauge.results.blocks import blocks_in_words

SamplesByBlock = Mapping[int, Sample]


@dataclass(frozen=True)
class Evidence:
    """One metric of one cell."""

    cell: str
    values: Mapping[int, float]
    """By block: the values that may be used."""
    failed: Mapping[int, str]
    """By block: what went wrong there."""
    forgiven: Mapping[int, str]
    """By block: what went wrong there, though its value may be used."""
    undefined: tuple[int, ...]
    """Blocks that were measured but don't have the metric."""
    unmeasured: int
    """Planned blocks without a sample."""

    @property
    def gaps(self) -> str | None:
        """One sentence on the planned blocks that give no evidence; None if all do."""
        parts = []
        if self.failed:
            parts.append(self._in_words(self.failed))
        if self.undefined:
            parts.append(f"{self.cell} has no such number in {blocks_in_words(self.undefined)}")
        if self.unmeasured:
            parts.append(f"{self.unmeasured} planned blocks of {self.cell} are not measured")
        return "; ".join(parts) or None

    @property
    def caveat(self) -> str | None:
        """One sentence on the blocks that are used in spite of failures; None without any."""
        return self._in_words(self.forgiven) if self.forgiven else None

    def _in_words(self, failures: Mapping[int, str]) -> str:
        reasons = list(dict.fromkeys(failures.values()))
        more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        return f"{self.cell} failed in {blocks_in_words(failures)} ({reasons[0]}{more})"


def evidence_of(
    cell: str, samples: SamplesByBlock, metric: Metric, planned: int, *, forgive: Container[str] = ()
) -> Evidence:
    """Read a metric off a cell's samples. `forgive`: kinds of failures in spite of which it is read, where measured."""
    values: dict[int, float] = {}
    failed: dict[int, str] = {}
    forgiven: dict[int, str] = {}
    undefined: list[int] = []
    for block, sample in sorted(samples.items()):
        grave = [failure.message for failure in sample.failures if failure.kind not in forgive]
        if sample.measurement is None or grave:
            told = grave or [failure.message for failure in sample.failures] or ["nothing was measured"]
            failed[block] = told[0]
            continue
        value = metric.of(sample.measurement)
        if value is None:
            undefined.append(block)
        else:
            values[block] = value
            if sample.failures:
                forgiven[block] = sample.failures[0].message
    return Evidence(cell, values, failed, forgiven, tuple(undefined), max(0, planned - len(samples)))
