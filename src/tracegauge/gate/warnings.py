"""What a reader must know before trusting a campaign's numbers; loudest first, in the spirit of pyperf's warnings."""

from collections.abc import Iterator, Mapping
from statistics import fmean, stdev

from tracegauge.gate.evidence import SamplesByBlock, evidence_of
from tracegauge.results import Environment, metric
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import CampaignResults
from tracegauge.statistics import blocks_for_interval

UNSTABLE_SD_SHARE = 0.10
"""Standard deviation over blocks, as a share of the mean, from which a cell is called unstable (as pyperf does)."""
BUSY_LOAD_PER_CORE = 0.5
CELLS_NAMED = 3


def find_warnings(results: CampaignResults) -> Iterator[str]:
    """Each warning as one sentence."""
    samples = results.by_cell
    yield from _lost_traces(samples)
    yield from _failures(samples, measured=False)
    yield from _failures(samples, measured=True)
    yield from _unfinished(results)
    yield from _too_few_blocks(results.record)
    yield from _unstable(results.record, samples)
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


def _unfinished(results: CampaignResults) -> Iterator[str]:
    if results.torn_line:
        yield f"line {results.torn_line} of samples.jsonl was cut off in the middle of writing; it is left out"
    planned = results.record.blocks
    complete = min((len(by_block) for by_block in results.by_cell.values()), default=0)
    if complete < planned:
        yield f"the campaign is not finished: {complete} of {planned} blocks are complete; continue it with --resume"


def _too_few_blocks(record: CampaignRecord) -> Iterator[str]:
    needed = blocks_for_interval()
    if record.blocks < needed:
        yield f"too few blocks: {record.blocks} are planned, a 95% interval needs at least {needed}"


def _unstable(record: CampaignRecord, samples: Mapping[str, SamplesByBlock]) -> Iterator[str]:
    names = dict.fromkeys(["latency_p50_ms", *(c.metric for c in record.criteria if c.kind == "ratio")])
    for name in names:
        what = metric(name)
        spread: dict[str, float] = {}
        for cell, by_block in samples.items():
            values = list(evidence_of(cell, by_block, what, record.blocks, of_failed=False).values.values())
            if len(values) > 1 and fmean(values) > 0:
                spread[cell] = stdev(values) / fmean(values)
        unstable = sorted(
            (cell for cell in spread if spread[cell] >= UNSTABLE_SD_SHARE), key=lambda cell: -spread[cell]
        )
        if unstable:
            named = _some([f"{cell} {spread[cell]:.0%}" for cell in unstable])
            yield (
                f"unstable: {what.label} varies between blocks by {UNSTABLE_SD_SHARE:.0%} or more (standard deviation,"
                f" of the mean) in {len(unstable)} of {len(spread)} cells: {named}"
            )


def _busy_machine(environment: Environment) -> Iterator[str]:
    load, cores = environment.load_average_1m, environment.cpu_cores
    if load is not None and load >= BUSY_LOAD_PER_CORE * cores:
        yield f"the machine was busy when the campaign began: load average {load:.1f} on {cores} cores"
    if environment.cpu_governor not in (None, "performance"):
        yield f"the CPU's frequency is not fixed (governor {environment.cpu_governor}): times may drift with it"
