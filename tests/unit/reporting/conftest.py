"""Realistic campaigns with known numbers, made up from what MLflow's tracing really costs."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tracegauge.results import (
    CampaignVerdict,
    Cell,
    CriterionVerdict,
    Environment,
    Failure,
    Measurement,
    ReadCost,
    Sample,
    StoreCounts,
    Verdict,
)
from tracegauge.results.campaign_record import CampaignRecord, CriterionRecord
from tracegauge.results.files import CampaignResults

SPANS = 11


@dataclass(frozen=True)
class Cost:
    latency_ms: float
    cpu_ms: float
    bytes_per_trace: int


COSTS = {
    ("off", None): Cost(1.4, 1.4, 0),
    ("legacy_runs", "file"): Cost(45, 45, 56_000),
    ("legacy_runs", "sqlite"): Cost(65, 57, 20_000),
    ("manual_spans", "file"): Cost(2.6, 7.7, 12_000),
    ("manual_spans", "sqlite"): Cost(2.9, 31, 21_000),
    ("autolog", "file"): Cost(6.6, 13.6, 20_000),
    ("autolog", "sqlite"): Cost(6.4, 42, 33_000),
}
SEARCH_MS = {"file": {100: 79, 1000: 1237, 3000: 8876}, "sqlite": {100: 64, 1000: 81, 3000: 65}}


def make_cells(workflows: Sequence[str] = ("article_writer",), concurrency: Sequence[int] = (1,)) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            workflow=workflow,
            instrument=instrument,
            backend=backend,
            delivery="lossless" if instrument in ("manual_spans", "autolog") else None,
            concurrency=k,
        )
        for workflow in workflows
        for k in concurrency
        for instrument, backend in COSTS
    )


def make_sample(
    cell: Cell,
    block: int,
    *,
    invocations: int = 30,
    lost: int = 0,
    crash: str | None = None,
    failures: Sequence[Failure] = (),
    read_sizes: Sequence[int] = (100, 1000, 3000),
    seed: int = 0,
) -> Sample:
    """What `COSTS` says with noise of a few percent, the same for the same arguments."""
    started = {"block": block, "position": 0, "cell": cell, "started_at": "2026-11-23T10:00:00Z"}
    if crash:
        return Sample(**started, failures=(Failure(kind="crashed", message=crash, detail=f"Traceback …\n{crash}"),))
    cost = COSTS.get((cell.instrument, cell.backend), Cost(9, 20, 15_000))
    rng = np.random.default_rng([seed, block, *cell.id.encode()])
    mood = float(rng.lognormal(0, 0.02))
    latency = rng.lognormal(np.log(cost.latency_ms * mood * 1e6), 0.12, invocations)
    cpu = cost.cpu_ms * mood * 1e6 * invocations
    request = min(cpu, float(latency.sum()) * 0.95)
    stored = cell.backend is not None
    counts = StoreCounts(
        traces_made=invocations,
        traces_stored=invocations - lost,
        spans_expected=SPANS * invocations,
        spans_stored=SPANS * (invocations - lost),
    )
    reads = tuple(
        ReadCost(
            store_traces=size,
            search_ns=tuple(int(SEARCH_MS[cell.backend][size] * mood * 1e6 * f) for f in (0.98, 1, 1.03)),
            get_ns=tuple(int(3.5 * mood * 1e6 * f) for f in (0.98, 1, 1.03)),
        )
        for size in read_sizes
        if stored
    )
    loss = Failure(
        kind="lost_traces", message=f"{lost} of {invocations} traces ({lost / invocations:.0%}) are not in the store"
    )
    return Sample(
        **started,
        measurement=Measurement(
            invocations=invocations,
            latency_ns=tuple(int(value) for value in latency),
            wall_ns=int(latency.sum() / cell.concurrency),
            cpu_ns=int(cpu),
            cpu_request_ns=int(request),
            drain_ns=int(cpu - request) + 1_000_000 * stored,
            bytes_allocated=cost.bytes_per_trace * (invocations - lost) if stored else None,
            bytes_apparent=cost.bytes_per_trace * (invocations - lost) // 2 if stored else None,
            rss_growth_bytes=3_000_000,
            counts=counts if stored else None,
            reads=reads,
        ),
        failures=((loss,) if lost else ()) + tuple(failures),
    )


def make_environment(**changes: Any) -> Environment:
    return Environment(
        **{
            "measured_at": "2026-11-23T10:00:00Z",
            "host": "bench-1",
            "cpu_model": "AMD EPYC 7B13",
            "cpu_cores": 2,
            "cpu_governor": None,
            "load_average_1m": 0.4,
            "memory_bytes": 8 * 1024**3,
            "disk_type": "ext4, ssd",
            "os": "Linux 6.1.0-18-amd64",
            "python": "CPython 3.11.9",
            "packages": {"tracegauge": "0.1.0", "mlflow": "3.17.2", "langgraph": "1.2.22", "langchain-core": "1.7.2"},
            "git_commit": "0bec83d5a6f1c2d3e4f5061728394a5b6c7d8e9f",
            "git_dirty": False,
            "store_setup_ms": {"file": 1.2, "sqlite": 2412.7},
            **changes,
        }
    )


def make_results(
    cells: Sequence[Cell],
    samples: Sequence[Sample],
    *,
    blocks: int = 6,
    criteria: Sequence[CriterionRecord] = (),
    environment: Environment | None = None,
    name: str = "quick",
) -> CampaignResults:
    record = CampaignRecord(
        name=name,
        description="Manual spans and autolog, on file and SQLite.",
        started_at="2026-11-23T10:00:00Z",
        command="tracegauge bench bench/quick.yaml",
        cells=tuple(cells),
        blocks=blocks,
        invocations=30,
        criteria=tuple(criteria),
    )
    return CampaignResults(record, tuple(samples), environment or make_environment())


def make_criterion(
    id: str, verdict: Verdict, *, estimate: float | None, interval: tuple[float, float] | None, **changes: Any
) -> CriterionVerdict:
    return CriterionVerdict(
        **{
            "id": id,
            "claim": f"The claim of {id}",
            "kind": "ratio",
            "metric": "cpu_ms_per_invocation",
            "candidate": "article_writer-autolog-sqlite-c1",
            "baseline": "article_writer-autolog-file-c1",
            "margin": 0.05,
            "bound": 1.05,
            "blocks": 6,
            "blocks_measured": 6,
            "blocks_planned": 6,
            "block_values": (),
            "estimate": estimate,
            "interval": interval,
            "candidate_median": 42.0,
            "baseline_median": 13.6,
            "verdict": verdict,
            "reason": f"The ratio is {estimate}.",
            **changes,
        }
    )


def make_quick() -> tuple[CampaignResults, CampaignVerdict]:
    """A campaign as it usually is: one workflow, seven cells, six blocks, one cell that lost traces and one crash."""
    cells = make_cells()
    samples = [make_sample(cell, block) for block in range(6) for cell in cells]
    change = {
        ("article_writer-autolog-sqlite-c1", 2): lambda c: make_sample(c, 2, lost=7),
        ("article_writer-autolog-sqlite-c1", 4): lambda c: make_sample(c, 4, lost=3),
        ("article_writer-legacy_runs-file-c1", 1): lambda c: make_sample(
            c, 1, crash="OSError: No space left on device"
        ),
    }
    samples = [
        change[sample.cell.id, sample.block](sample.cell) if (sample.cell.id, sample.block) in change else sample
        for sample in samples
    ]
    verdict = CampaignVerdict(
        campaign="quick",
        verdict=Verdict.REGRESSED,
        criteria=(
            make_criterion(
                "sqlite-writes", Verdict.REGRESSED, estimate=3.09, interval=(3.01, 3.17),
                claim="Writing a trace to SQLite costs no more CPU than to files",
                reason="The ratio is 3.09, 95% interval 3.01 to 3.17, over 6 blocks: all of it is above 1.05.",
            ),
            make_criterion(
                "sqlite-reads-1000", Verdict.PASS, estimate=0.065, interval=(0.064, 0.067), metric="search_ms_at_1000",
                claim="Searching 1,000 traces is no slower on SQLite than on files",
                candidate_median=81.0, baseline_median=1237.0,
                reason="The ratio is 0.065, 95% interval 0.064 to 0.067, over 6 blocks: all of it is within 1.05.",
            ),
            make_criterion(
                "manual-latency", Verdict.INCONCLUSIVE, estimate=1.04, interval=(0.98, 1.09), metric="latency_p50_ms",
                claim="Callers of manual spans wait no longer on SQLite than on files",
                candidate="article_writer-manual_spans-sqlite-c1", baseline="article_writer-manual_spans-file-c1",
                candidate_median=2.9, baseline_median=2.79,
                reason="The ratio is 1.04, 95% interval 0.98 to 1.09, over 6 blocks: 1.05 lies inside it,"
                " so it can't be told yet.",
            ),
            make_criterion(
                "no-loss", Verdict.REGRESSED, estimate=7, interval=None, kind="count", metric="traces_lost",
                claim="Autolog on SQLite loses no trace", baseline=None, baseline_median=None, margin=0,
                candidate_median=0, reason="Up to 7 traces in blocks 2 and 4, 0 allowed.",
            ),
        ),
        warnings=(
            "TRACES LOST: article_writer-autolog-sqlite-c1 lost 10 of 180 traces (5.6%), in 2 of 6 blocks; its costs"
            " are those of an export that did less than it should",
            "article_writer-legacy_runs-file-c1 crashed in block 1: OSError: No space left on device",
            "the machine was busy when the campaign began: load average 1.9 on 2 cores",
        ),
    )  # fmt: skip
    return make_results(cells, samples, environment=make_environment(load_average_1m=1.9)), verdict


def make_scorecard() -> tuple[CampaignResults, CampaignVerdict]:
    """The quick campaign with every kind of criterion, each with its source, and with controls that came out right."""
    results, quick = make_quick()
    decided = {"confidence": 0.95, "p_holm": 0.0004, "detectable": 1.08}
    writes, reads, latency, loss = (
        c.model_copy(update={"source": f"ADR-018, {section}", **decided})
        for c, section in zip(
            quick.criteria, ("success metrics", "pain points", "context", "consequences"), strict=True
        )
    )
    latency = latency.model_copy(
        update={"p_holm": 0.31, "detectable": 1.12, "blocks_needed": 22, "absolute_margin": 1.0}
    )
    off = "article_writer-off-c1"
    criteria = (
        writes, reads, latency, loss,
        make_criterion(
            "added", Verdict.PASS, estimate=-0.3, interval=(-0.9, 0.4), kind="difference", metric="latency_p50_ms",
            margin=1.0, bound=1.0, source="ADR-018, success metrics", detectable=0.8, candidate_median=6.4,
            baseline_median=6.7,
        ),
        make_criterion(
            "fallback-time", Verdict.PASS, estimate=2210.0, interval=(2100.0, 2400.0), kind="limit", metric="drain_ms",
            margin=3000.0, bound=3000.0, baseline=None, baseline_median=None, candidate_median=2210.0,
            source="ADR-018, phase 1",
        ),
    )  # fmt: skip
    controls = (
        make_criterion(
            "aa", Verdict.PASS, estimate=1.002, interval=(0.98, 1.02), role="control_aa", baseline=off,
            candidate=f"{off}-aa", claim="The same cell twice does not differ.",
        ),
        make_criterion(
            "injected", Verdict.REGRESSED, estimate=1.11, interval=(1.08, 1.14), role="control_injected", baseline=off,
            candidate=f"{off}-injected10", claim="A slowdown of 10% is found.",
        ),
    )  # fmt: skip
    return results, quick.model_copy(update={"criteria": criteria, "controls": controls})


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    """The functions of this module."""
    return sys.modules[__name__]
