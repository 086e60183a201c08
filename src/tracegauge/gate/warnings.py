"""What a reader must know before trusting a campaign's numbers; loudest first, in the spirit of pyperf's warnings."""

from collections.abc import Iterator, Mapping
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from tracegauge.gate.evidence import SamplesByBlock, evidence_of
from tracegauge.results import Environment, metric
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import CampaignResults
from tracegauge.statistics import BIMODAL, bimodality, trend, values_for_interval

UNSTABLE_SD_SHARE = 0.10
"""Standard deviation over blocks, as a share of the mean, from which a cell is called unstable (as pyperf does)."""
DRIFT_MIN_BLOCKS = 6
DRIFT_P = 0.01
DRIFT_SHARE = 0.05
"""A trend over blocks is told if it is hardly chance and changes the mean by so much from the first block to the
last."""
BIMODAL_MIN_INVOCATIONS = 60
BUSY_LOAD_PER_CORE = 0.5
SWAP_BYTES = 64 * 1024**2
"""Less than that lies in the swap of many machines for weeks, and slows nothing down."""
CELLS_NAMED = 3


def find_warnings(results: CampaignResults, *, settled: bool) -> Iterator[str]:
    """Each warning as one sentence. `settled`: more blocks would change no verdict."""
    samples = results.by_cell
    yield from _lost_traces(samples)
    yield from _failures(samples, measured=False)
    yield from _failures(samples, measured=True)
    yield from _unfinished(results, settled=settled)
    yield from _too_few_blocks(results.record)
    yield from _unsteady(results.record, samples)
    yield from _bimodal(samples)
    if results.environment:
        yield from _busy_machine(results.environment)


def _lost_traces(samples: Mapping[str, SamplesByBlock]) -> Iterator[str]:
    shares: dict[str, float] = {}
    all_lost = all_made = 0
    for cell, by_block in samples.items():
        counts = [s.measurement.counts for s in by_block.values() if s.measurement and s.measurement.counts]
        lost, made = sum(c.traces_lost for c in counts), sum(c.traces_made for c in counts)
        all_lost, all_made = all_lost + lost, all_made + made
        if lost:
            shares[cell] = lost / made
    if shares:
        worst = [f"{cell} {shares[cell]:.1%}" for cell in sorted(shares, key=lambda cell: -shares[cell])]
        yield (
            f"TRACES LOST: {all_lost:,} of {all_made:,}, in {len(shares)} of {len(samples)} cells"
            f" ({_some(worst)}); the costs of such blocks are those of an export that did less than it should"
        )


def _failures(samples: Mapping[str, SamplesByBlock], *, measured: bool) -> Iterator[str]:
    """What else failed and where: one warning for all failures of a kind."""
    cells: dict[str, dict[str, list[int]]] = {}
    messages: dict[str, dict[str, None]] = {}
    for cell, by_block in samples.items():
        for block, sample in by_block.items():
            for failure in sample.failures:
                if (sample.measurement is not None) is measured and failure.kind != "lost_traces":
                    cells.setdefault(failure.kind, {}).setdefault(cell, []).append(block)
                    messages.setdefault(failure.kind, {})[failure.message] = None
    for kind, blocks_of in cells.items():
        named = _some([f"{cell} in {blocks_in_words(blocks)}" for cell, blocks in blocks_of.items()])
        first, *others = messages[kind]
        more = f" (and {len(others)} other messages)" if others else ""
        yield f"{kind.replace('_', ' ')}: {named}: {first}{more}"


def _some(names: list[str]) -> str:
    left = len(names) - CELLS_NAMED
    return f"{', '.join(names[:CELLS_NAMED])} and {left} more" if left > 0 else ", ".join(names)


def _unfinished(results: CampaignResults, *, settled: bool) -> Iterator[str]:
    if results.torn_line:
        yield f"line {results.torn_line} of samples.jsonl was cut off in the middle of writing; it is left out"
    record = results.record
    complete = min((len(by_block) for by_block in results.by_cell.values()), default=0)
    if complete >= record.blocks or (record.looks and settled):
        return
    if record.looks:
        yield (
            f"not everything is decided after {complete} of at most {record.blocks} blocks: the time was up, or the"
            " campaign was interrupted; go on with --resume"
        )
    else:
        yield f"the campaign is not finished: {complete} of {record.blocks} blocks are complete; go on with --resume"


def _too_few_blocks(record: CampaignRecord) -> Iterator[str]:
    needed = values_for_interval()
    if record.blocks < needed:
        yield f"too few blocks: {record.blocks} are planned, a 95% interval needs at least {needed}"


def _unsteady(record: CampaignRecord, samples: Mapping[str, SamplesByBlock]) -> Iterator[str]:
    names = dict.fromkeys(["latency_p50_ms", *(c.metric for c in record.criteria if c.kind in ("ratio", "difference"))])
    for name in names:
        what = metric(name)
        unstable: dict[str, float] = {}
        drifting: dict[str, float] = {}
        seen = 0
        for cell, by_block in samples.items():
            values = list(evidence_of(cell, by_block, what, record.blocks).values.values())
            if len(values) < 2 or fmean(values) <= 0:
                continue
            seen += 1
            share = stdev(values) / fmean(values)
            if share >= UNSTABLE_SD_SHARE:
                unstable[cell] = share
            if len(values) >= DRIFT_MIN_BLOCKS:
                p, slope = trend(values)
                change = slope * (len(values) - 1) / fmean(values)
                if p < DRIFT_P and abs(change) >= DRIFT_SHARE:
                    drifting[cell] = change
        if unstable:
            yield (
                f"unstable: {what.label} varies between blocks by {UNSTABLE_SD_SHARE:.0%} or more (standard deviation,"
                f" of the mean) in {len(unstable)} of {seen} cells: {_worst(unstable, '.0%')}"
            )
        if drifting:
            yield (
                f"drift: {what.label} moves in one direction from block to block in {len(drifting)} of {seen} cells"
                f" (from the first to the last): {_worst(drifting, '+.0%')}"
            )


def _bimodal(samples: Mapping[str, SamplesByBlock]) -> Iterator[str]:
    found: dict[str, float] = {}
    seen = 0
    for cell, by_block in samples.items():
        latencies: list[float] = []
        for sample in by_block.values():
            if sample.ok and sample.measurement and sample.measurement.latency_ns:
                logs = np.log(np.maximum(sample.measurement.latency_ns, 1))
                latencies.extend(logs - np.median(logs))
        if len(latencies) >= BIMODAL_MIN_INVOCATIONS:
            seen += 1
            coefficient = bimodality(_without_extremes(np.array(latencies)))
            if coefficient > BIMODAL:
                found[cell] = coefficient
    if found:
        yield (
            f"two modes: the latencies within a block fall into two groups in {len(found)} of {seen} cells (bimodality"
            f" coefficient above {BIMODAL:.2f}), so that a median may jump from one to the other: "
            f"{_worst(found, '.2f')}"
        )


def _without_extremes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle 95%: a few slow invocations are a tail, which the coefficient would take for a second mode."""
    low, high = np.quantile(values, [0.025, 0.975])
    middle: NDArray[np.float64] = values[(values >= low) & (values <= high)]
    return middle


def _worst(cells: Mapping[str, float], form: str) -> str:
    return _some([f"{cell} {cells[cell]:{form}}" for cell in sorted(cells, key=lambda cell: -abs(cells[cell]))])


def _busy_machine(environment: Environment) -> Iterator[str]:
    load, cores = environment.load_average_1m, environment.cpu_cores
    if load is not None and load >= BUSY_LOAD_PER_CORE * cores:
        yield f"the machine was busy when the campaign began: load average {load:.1f} on {cores} cores"
    if environment.cpu_governor not in (None, "performance"):
        yield f"the CPU's frequency is not fixed (governor {environment.cpu_governor}): times may drift with it"
    if environment.swap_used_bytes is not None and environment.swap_used_bytes >= SWAP_BYTES:
        yield f"swap is in use ({environment.swap_used_bytes / 1024**2:,.0f} MiB): times may be those of a disk"
    if environment.other_campaigns:
        processes = "process" if environment.other_campaigns == 1 else "processes"
        yield f"another tracegauge was measuring at the same time ({environment.other_campaigns} {processes})"
