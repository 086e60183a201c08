import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.measure.replay import cells_with, durations_s, extra_info
from tracegauge.results import Cell, Failure, Measurement, ReadCost, Sample, StoreCounts

OFF = Cell(workflow="w", instrument="off")
AUTOLOG = Cell(workflow="w", instrument="autolog", backend="sqlite", delivery="lossless")


def sample(block, *, stored=2, **changes):
    measurement = Measurement(
        invocations=2,
        latency_ns=(1_000_000, 3_000_000),
        wall_ns=4_000_000,
        cpu_ns=10_000_000,
        cpu_request_ns=6_000_000,
        drain_ns=500_000_000,
        bytes_allocated=8192,
        counts=StoreCounts(traces_made=2, traces_stored=stored, spans_stored=stored * 11),
        reads=(ReadCost(store_traces=100, search_ns=(7_000_000,), get_ns=(1_000,)),),
    )
    values = {"block": block, "position": 0, "cell": AUTOLOG, "started_at": "", "measurement": measurement}
    return Sample(**(values | changes))


def test_what_is_replayed_is_what_was_measured():
    samples = [sample(0), sample(1)]
    assert durations_s(samples, "latency", None) == [0.001, 0.003, 0.001, 0.003]
    assert durations_s(samples, "cpu", None) == [0.005, 0.005]  # 10 ms over 2 invocations
    assert durations_s(samples, "drain", None) == [0.5, 0.5]
    assert durations_s(samples, "search", 100) == [0.007, 0.007]
    assert durations_s(samples, "search", 1000) == []


def test_extra_info_covers_all_blocks():
    crashed = sample(2, measurement=None, failures=(Failure(kind="crashed", message="gone"),))
    assert extra_info([sample(0), sample(1, stored=1), crashed]) == {
        "blocks": 3,
        "blocks_measured": 2,
        "blocks_failed": 1,
        "invocations": 4,
        "traces_made": 4,
        "traces_stored": 3,
        "traces_lost": 1,
        "spans_stored": 33,
        "orphan_spans": 0,
        "bytes_per_trace": 6144.0,  # median of 8192 / 2 and 8192 / 1
    }


def test_a_cell_that_stores_nothing_has_no_drain_and_no_reads():
    assert cells_with("latency", [OFF, AUTOLOG]) == [OFF, AUTOLOG]
    assert cells_with("cpu", [OFF, AUTOLOG]) == [OFF, AUTOLOG]
    assert cells_with("drain", [OFF, AUTOLOG]) == [AUTOLOG]
    assert cells_with("search", [OFF, AUTOLOG]) == [AUTOLOG]


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="latency"):
        cells_with("latencies", [OFF])
