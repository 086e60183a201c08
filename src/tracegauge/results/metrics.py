"""The metrics that can be read off a measurement: names, units and formulas."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from tracegauge.results.sample import Measurement, StoreCounts


@dataclass(frozen=True)
class Metric:
    """One number per sample.

    `of` returns None where a measurement does not have the metric (bytes of an instrument that stores nothing).
    """

    name: str
    label: str
    """For people; the unit is not part of it."""
    unit: str
    of: Callable[[Measurement], float | None]
    higher_is_better: bool = False
    needs_store: bool = False
    """Whether only cells that store something have it."""
    counted: bool = False
    """Whether it is an exact number of things, the same in every block unless something happened."""
    usually_zero: bool = False
    """Whether it is 0 where all is well, so that a ratio to it is undefined."""


def quantile(values: tuple[int, ...], q: float) -> float:
    """The q-quantile (0 to 1), linearly interpolated between order statistics (Hyndman & Fan 1996, type 7)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _latency(q: float) -> Callable[[Measurement], float | None]:
    return lambda m: quantile(m.latency_ns, q) / 1e6 if m.latency_ns else None


def _per_trace(of: Callable[[Measurement], float | None]) -> Callable[[Measurement], float | None]:
    def per_trace(m: Measurement) -> float | None:
        total = of(m)
        return (
            None if total is None or m.counts is None or not m.counts.traces_stored else total / m.counts.traces_stored
        )

    return per_trace


def _latency_mean_ms(m: Measurement) -> float | None:
    return fmean(m.latency_ns) / 1e6 if m.latency_ns else None


def _stored_per_s(m: Measurement) -> float | None:
    return None if m.counts is None else m.counts.traces_stored / ((m.wall_ns + m.drain_ns) / 1e9)


def _setup_ms(m: Measurement) -> float | None:
    return None if m.setup_ns is None else m.setup_ns / 1e6


def _of_counts(of: Callable[[StoreCounts], int]) -> Callable[[Measurement], float | None]:
    return lambda m: None if m.counts is None else float(of(m.counts))


def _statements(m: Measurement) -> float | None:
    return None if m.instrumentation_statements is None else float(m.instrumentation_statements)


_METRICS = [
    Metric("latency_p50_ms", "caller latency, median", "ms", _latency(0.50)),
    Metric("latency_p95_ms", "caller latency, 95th percentile", "ms", _latency(0.95)),
    Metric("latency_p99_ms", "caller latency, 99th percentile", "ms", _latency(0.99)),
    Metric("latency_mean_ms", "caller latency, mean", "ms", _latency_mean_ms),
    Metric(
        "cpu_ms_per_invocation", "CPU per invocation, export included", "ms", lambda m: m.cpu_ns / 1e6 / m.invocations
    ),
    Metric(
        "cpu_request_ms_per_invocation",
        "CPU per invocation until the last one ends",
        "ms",
        lambda m: m.cpu_request_ns / 1e6 / m.invocations,
    ),
    Metric(
        "cpu_ms_per_trace",
        "CPU per stored trace, export included",
        "ms",
        _per_trace(lambda m: m.cpu_ns / 1e6),
        needs_store=True,
    ),
    Metric("drain_ms", "drain time after the last invocation", "ms", lambda m: m.drain_ns / 1e6, needs_store=True),
    Metric(
        "drain_ms_per_trace", "drain time per trace", "ms", _per_trace(lambda m: m.drain_ns / 1e6), needs_store=True
    ),
    Metric(
        "throughput_per_s",
        "invocations per second",
        "1/s",
        lambda m: m.invocations / (m.wall_ns / 1e9),
        higher_is_better=True,
    ),
    Metric(
        "stored_per_s",
        "traces stored per second, drain included",
        "1/s",
        _stored_per_s,
        higher_is_better=True,
        needs_store=True,
    ),
    Metric("setup_ms", "set-up time until the first invocation may begin", "ms", _setup_ms),
    Metric(
        "bytes_per_trace",
        "disk space per trace, allocated",
        "B",
        _per_trace(lambda m: m.bytes_allocated),
        needs_store=True,
    ),
    Metric("rss_growth_bytes", "growth of peak memory", "B", lambda m: float(m.rss_growth_bytes)),
    Metric(
        "traces_lost",
        "traces lost",
        "traces",
        _of_counts(lambda counts: counts.traces_lost),
        needs_store=True,
        counted=True,
        usually_zero=True,
    ),
    Metric(
        "orphan_spans",
        "orphan spans",
        "spans",
        _of_counts(lambda counts: counts.orphan_spans),
        needs_store=True,
        counted=True,
        usually_zero=True,
    ),
    Metric(
        "instrumentation_statements",
        "statements that a user writes to be traced",
        "statements",
        _statements,
        counted=True,
    ),
]

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}

_READ_METRIC = re.compile(r"(search|get)_ms_at_(\d+)")


def metric(name: str) -> Metric:
    """The metric of that name.

    Beside those in `METRICS`, read costs are metrics: `search_ms_at_N` and `get_ms_at_N` (median over repetitions)
    from a store that holds N traces. Raises KeyError for any other name.
    """
    if name in METRICS:
        return METRICS[name]
    match = _READ_METRIC.fullmatch(name)
    if not match:
        raise KeyError(name)
    what, size = match[1], int(match[2])

    def read_cost(m: Measurement) -> float | None:
        for cost in m.reads:
            if cost.store_traces == size:
                return quantile(cost.search_ns if what == "search" else cost.get_ns, 0.5) / 1e6
        return None

    verb = "search of 100 traces" if what == "search" else "get of one trace"
    return Metric(name, f"{verb}, store of {size:,}", "ms", read_cost)
