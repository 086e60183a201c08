"""Samples as durations and extra information, as pytest-benchmark takes them."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.results import Cell, Measurement, ReadCost, Sample

_DURATIONS_NS: dict[str, Callable[[Measurement], Iterable[float]]] = {
    "latency": lambda measured: measured.latency_ns,
    "cpu": lambda measured: [measured.cpu_ns / measured.invocations],
    "drain": lambda measured: [measured.drain_ns],
}
_READS_NS: dict[str, Callable[[ReadCost], Iterable[float]]] = {
    "search": lambda cost: cost.search_ns,
    "get": lambda cost: cost.get_ns,
}

READ_METRICS = frozenset(_READS_NS)
"""Metrics that are measured per store size."""

_OF_STORES = {"drain", *READ_METRICS}


def cells_with(metric: str | None, cells: Iterable[Cell]) -> list[Cell]:
    """The cells that have the metric. Raises ConfigError for one that can't be replayed."""
    known = [*_DURATIONS_NS, *_READS_NS]
    if metric not in known:
        raise ConfigError(f"{metric!r} is no metric that can be replayed", hint=nearest(metric or "", known))
    return [cell for cell in cells if cell.backend or metric not in _OF_STORES]


def durations_s(samples: Sequence[Sample], metric: str, store_traces: int | None) -> list[float]:
    """All durations of the metric in seconds: one per invocation or read, or one per block for `cpu` and `drain`."""
    measured = [sample.measurement for sample in samples if sample.measurement]
    if metric in _READS_NS:
        costs = [cost for one in measured for cost in one.reads if cost.store_traces == store_traces]
        return [ns / 1e9 for cost in costs for ns in _READS_NS[metric](cost)]
    return [ns / 1e9 for one in measured for ns in _DURATIONS_NS[metric](one)]


def extra_info(samples: Sequence[Sample]) -> dict[str, float | int]:
    """Counts and sizes over all blocks, to stand beside the durations."""
    measured = [sample.measurement for sample in samples if sample.measurement]
    counts = [one.counts for one in measured if one.counts]
    info: dict[str, float | int] = {
        "blocks": len(samples),
        "blocks_measured": len(measured),
        "blocks_failed": sum(not sample.ok for sample in samples),
        "invocations": sum(one.invocations for one in measured),
    }
    if counts:
        info["traces_made"] = sum(count.traces_made for count in counts)
        info["traces_stored"] = sum(count.traces_stored for count in counts)
        info["traces_lost"] = sum(count.traces_lost for count in counts)
        info["spans_stored"] = sum(count.spans_stored for count in counts)
        info["orphan_spans"] = sum(count.orphan_spans for count in counts)
    per_trace = [
        one.bytes_allocated / one.counts.traces_stored
        for one in measured
        if one.bytes_allocated is not None and one.counts and one.counts.traces_stored
    ]
    if per_trace:
        info["bytes_per_trace"] = median(per_trace)
    return info
