"""The report's numbers as pandas frames; one row per cell and quantity, with interval and coverage.

Frames of estimates have the index (cell, quantity) and the columns

- `median`, `low`, `high`: the median over blocks and its 95% interval (NaN where there are too few blocks for one),
- `n`, `m`: it rests on `n` of `m` planned blocks,
- `sound`: False where no block passed its checks, so that the numbers are those of blocks that failed them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tracegauge.results import METRICS, Cell, Metric, Sample, metric
from tracegauge.results.files import CampaignResults
from tracegauge.statistics import median_with_interval, pair_by_block

OFF = "off"


@dataclass(frozen=True)
class Overhead:
    """An overhead over `off`: what is compared, and the unit that it is given in."""

    quantity: str
    label: str
    unit: str
    metric: str
    per_span: bool


OVERHEADS = (
    Overhead("latency_overhead_ms", "added caller latency per invocation", "ms", "latency_p50_ms", per_span=False),
    Overhead("latency_overhead_us_per_span", "added caller latency per span", "µs", "latency_p50_ms", per_span=True),
    Overhead("cpu_overhead_ms", "added CPU per invocation", "ms", "cpu_ms_per_invocation", per_span=False),
    Overhead(
        "cpu_request_overhead_ms", "added CPU while callers wait", "ms", "cpu_request_ms_per_invocation", per_span=False
    ),
    Overhead("cpu_overhead_us_per_span", "added CPU per span", "µs", "cpu_ms_per_invocation", per_span=True),
)


def metrics_of(results: CampaignResults) -> tuple[Metric, ...]:
    """All metrics that this campaign measured: the fixed ones, then reads by size of store."""
    sizes = {cost.store_traces for s in results.samples if s.measurement for cost in s.measurement.reads}
    reads = [metric(f"{what}_ms_at_{size}") for what in ("search", "get") for size in sorted(sizes)]
    return (*METRICS.values(), *reads)


def cost_table(results: CampaignResults) -> pd.DataFrame:
    """Every metric of every cell."""
    samples = results.by_cell
    rows = [
        (cell, what.name, *_estimate({block: _value(what, sample) for block, sample in by_block.items()}, by_block))
        for cell, by_block in samples.items()
        for what in metrics_of(results)
    ]
    return _frame(rows, results.record.blocks)


def overhead_table(results: CampaignResults) -> pd.DataFrame:
    """What each cell costs over `off` of the same workflow, concurrency and environment, block by block.

    Cells without such an `off` are left out.
    """
    samples = results.by_cell
    off = {_ground(cell): cell.id for cell in results.cells.values() if cell.instrument == OFF and not cell.control}
    rows = []
    for cell in results.cells.values():
        baseline = off.get(_ground(cell))
        if baseline is None or cell.instrument == OFF:
            continue
        for overhead in OVERHEADS:
            differences = _differences(overhead, samples[cell.id], samples[baseline])
            rows.append((cell.id, overhead.quantity, *_estimate(differences, samples[cell.id])))
    return _frame(rows, results.record.blocks)


def loss_table(results: CampaignResults) -> pd.DataFrame:
    """Per cell: traces made, stored and lost over all blocks that could be counted, and how many blocks failed.

    Index: cell. Columns: `made`, `stored`, `lost`, `counted` (blocks whose store was counted), `failed` (blocks with
    any failure), `measured` (blocks with a sample), `m` (blocks planned), `what` (the failures in words, the most
    frequent first).
    """
    rows = []
    for cell, by_block in results.by_cell.items():
        counts = [s.measurement.counts for s in by_block.values() if s.measurement and s.measurement.counts]
        rows.append(
            {
                "cell": cell,
                "made": sum(count.traces_made for count in counts),
                "stored": sum(min(count.traces_stored, count.traces_made) for count in counts),
                "lost": sum(count.traces_lost for count in counts),
                "counted": len(counts),
                "failed": sum(not sample.ok for sample in by_block.values()),
                "measured": len(by_block),
                "m": results.record.blocks,
                "what": _in_words(by_block.values()),
            }
        )
    return pd.DataFrame(rows).set_index("cell")


def failure_table(results: CampaignResults) -> pd.DataFrame:
    """Failures by cell: `cell`, `kind`, `message`, `blocks` (numbers of those that failed so), `detail` (of the first).

    Messages that differ in nothing but their numbers ("3 of 30 traces") are one row, with the first message.
    """
    rows: dict[tuple[str, str, str], dict[str, object]] = {}
    for cell, by_block in results.by_cell.items():
        for block, sample in by_block.items():
            for failure in sample.failures:
                key = (cell, failure.kind, re.sub(r"\d+", "0", failure.message))
                first = {"cell": cell, "kind": failure.kind, "message": failure.message, "detail": failure.detail}
                blocks = rows.setdefault(key, {**first, "blocks": []})["blocks"]
                assert isinstance(blocks, list)
                blocks.append(block)
    return pd.DataFrame(list(rows.values()), columns=["cell", "kind", "message", "blocks", "detail"], dtype=object)


def _ground(cell: Cell) -> tuple[str, int, str | None]:
    """What a cell shares with the untraced one that it is compared with."""
    return cell.workflow, cell.concurrency, cell.environment


def _value(what: Metric, sample: Sample) -> float | None:
    return what.of(sample.measurement) if sample.measurement else None


def _differences(overhead: Overhead, ours: Mapping[int, Sample], off: Mapping[int, Sample]) -> dict[int, float | None]:
    what = METRICS[overhead.metric]
    scale: Callable[[Sample], float | None] = _us_per_span if overhead.per_span else lambda _: 1.0
    mine = {block: value for block, s in ours.items() if (value := _value(what, s)) is not None and scale(s)}
    base = {block: value for block, s in off.items() if s.ok and (value := _value(what, s)) is not None}
    pairs = pair_by_block(mine, base)
    return {
        int(block): float(a - b) * (scale(ours[int(block)]) or 1.0)
        for block, a, b in zip(pairs.blocks, pairs.candidate, pairs.baseline, strict=True)
    }


def _us_per_span(sample: Sample) -> float | None:
    """What turns ms per invocation into µs per span, by the spans that are really in the store."""
    counts = sample.measurement.counts if sample.measurement else None
    if counts is None or not counts.spans_stored:
        return None
    return 1000.0 * counts.traces_stored / counts.spans_stored


def _estimate(
    values: Mapping[int, float | None], samples: Mapping[int, Sample]
) -> tuple[float | None, float | None, float | None, int, bool]:
    known = {block: value for block, value in values.items() if value is not None}
    good = [value for block, value in known.items() if samples[block].ok]
    used: Sequence[float] = good or list(known.values())
    if not used:
        return None, None, None, 0, True
    estimate = median_with_interval(used)
    low, high = estimate.interval or (None, None)
    return estimate.median, low, high, estimate.n, bool(good)


def _frame(rows: Iterable[tuple[object, ...]], planned: int) -> pd.DataFrame:
    columns = ["cell", "quantity", "median", "low", "high", "n", "sound"]
    frame = pd.DataFrame(rows, columns=columns).astype({"median": float, "low": float, "high": float, "n": int})
    return frame.assign(m=planned).set_index(["cell", "quantity"])


def _in_words(samples: Iterable[Sample]) -> str:
    kinds = pd.Series([failure.kind for sample in samples for failure in sample.failures], dtype=object).value_counts()
    return ", ".join(str(kind).replace("_", " ") for kind in kinds.index)
