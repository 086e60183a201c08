"""What a cell's samples say of one metric, block by block, and which blocks say nothing and why."""

from collections.abc import Mapping
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
    undefined: tuple[int, ...]
    """Blocks that were measured but don't have the metric."""
    unmeasured: int
    """Planned blocks without a sample."""

    @property
    def gaps(self) -> str | None:
        """One sentence on the planned blocks that give no evidence; None if all do."""
        parts = []
        if self.failed:
            reasons = list(dict.fromkeys(self.failed.values()))
            more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
            parts.append(f"{self.cell} failed in {blocks_in_words(self.failed)} ({reasons[0]}{more})")
        if self.undefined:
            parts.append(f"{self.cell} has no such number in {blocks_in_words(self.undefined)}")
        if self.unmeasured:
            parts.append(f"{self.unmeasured} planned blocks of {self.cell} are not measured")
        return "; ".join(parts) or None


def evidence_of(cell: str, samples: SamplesByBlock, metric: Metric, planned: int, *, of_failed: bool) -> Evidence:
    """Read a metric off a cell's samples. `of_failed`: also off those that were measured but failed a check."""
    values: dict[int, float] = {}
    failed: dict[int, str] = {}
    undefined: list[int] = []
    for block, sample in sorted(samples.items()):
        if sample.measurement is None or (sample.failures and not of_failed):
            failed[block] = sample.failures[0].message if sample.failures else "nothing was measured"
            continue
        value = metric.of(sample.measurement)
        if value is None:
            undefined.append(block)
        else:
            values[block] = value
    return Evidence(cell, values, failed, tuple(undefined), max(0, planned - len(samples)))
