"""Small campaigns whose numbers are given one by one."""

from collections.abc import Sequence

import pytest

from tracegauge.results import Cell, Environment, Failure, Measurement, Sample, StoreCounts
from tracegauge.results.campaign_record import CampaignRecord, CriterionRecord
from tracegauge.results.files import CampaignResults

NEW = Cell(workflow="w", instrument="autolog", backend="sqlite", delivery="lossless")
OLD = Cell(workflow="w", instrument="autolog", backend="file", delivery="lossless")


class Builder:
    """Makes samples and campaigns; all numbers but those given are the same everywhere."""

    new, old = NEW, OLD

    def sample(
        self,
        cell: Cell,
        block: int,
        latency_ms: float = 10.0,
        *,
        wall_ms: float = 100.0,
        lost: int = 0,
        counted: bool = True,
        failures: Sequence[Failure] = (),
    ) -> Sample:
        loss = (Failure(kind="lost_traces", message=f"{lost} of 10 traces are not in the store"),) if lost else ()
        counts = StoreCounts(traces_made=10, traces_stored=10 - lost) if counted else None
        measurement = Measurement(
            invocations=10,
            latency_ns=(round(latency_ms * 1e6),) * 10,
            wall_ns=round(wall_ms * 1e6),
            cpu_ns=1,
            cpu_request_ns=1,
            drain_ns=1,
            counts=counts,
        )
        return Sample(
            block=block, position=0, cell=cell, started_at="t", measurement=measurement, failures=(*loss, *failures)
        )

    def crash(self, cell: Cell, block: int, kind: str = "crashed") -> Sample:
        failure = Failure(kind=kind, message="ValueError: no such table")
        return Sample(block=block, position=0, cell=cell, started_at="t", failures=(failure,))

    def ratio(self, metric: str = "latency_p50_ms", margin: float = 0.05) -> CriterionRecord:
        return CriterionRecord(
            id="r", claim="c", kind="ratio", metric=metric, candidate=NEW.id, baseline=OLD.id, margin=margin
        )

    def other(self, kind: str, metric: str = "latency_p50_ms", **changes: object) -> CriterionRecord:
        """A `difference`, a `limit`, or a ratio with something special."""
        common = {"id": kind, "claim": "c", "kind": kind, "metric": metric, "candidate": NEW.id, **changes}
        return CriterionRecord.model_validate(common if kind == "limit" else {"baseline": OLD.id, **common})

    def count(self, margin: float = 0) -> CriterionRecord:
        return CriterionRecord(id="n", claim="c", kind="count", metric="traces_lost", candidate=NEW.id, margin=margin)

    def campaign(
        self,
        samples: Sequence[Sample],
        *criteria: CriterionRecord,
        blocks: int = 6,
        environment: Environment | None = None,
        torn_line: int | None = None,
        looks: tuple[int, ...] = (),
        controls: Sequence[CriterionRecord] = (),
    ) -> CampaignResults:
        record = CampaignRecord(
            name="c",
            started_at="t",
            command="x",
            cells=(NEW, OLD),
            blocks=looks[-1] if looks else blocks,
            looks=looks,
            invocations=10,
            criteria=criteria,
            controls=tuple(controls),
        )
        return CampaignResults(record, tuple(samples), environment, torn_line)

    def latencies(self, new: Sequence[float], old: Sequence[float]) -> list[Sample]:
        """One sample of both cells per block, with these latencies in ms."""
        return [self.sample(NEW, block, value) for block, value in enumerate(new)] + [
            self.sample(OLD, block, value) for block, value in enumerate(old)
        ]


@pytest.fixture(scope="session")
def build() -> Builder:
    return Builder()
