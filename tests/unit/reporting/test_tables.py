import numpy as np
import pytest

from tracegauge.reporting.tables import cost_table, failure_table, loss_table, overhead_table
from tracegauge.results import Failure, Measurement, Sample, StoreCounts


def sample(cell, block, latency_ms, cpu_ms=1.0, spans=40, made=10, stored=10, failures=()):
    counts = StoreCounts(traces_made=made, traces_stored=stored, spans_stored=spans) if cell.backend else None
    return Sample(
        block=block,
        position=0,
        cell=cell,
        started_at="t",
        measurement=Measurement(
            invocations=10,
            latency_ns=(int(latency_ms * 1e6),) * 10,
            wall_ns=int(latency_ms * 1e7),
            cpu_ns=int(cpu_ms * 1e7),
            cpu_request_ns=0,
            drain_ns=0,
            counts=counts,
        ),
        failures=failures,
    )


@pytest.fixture
def cells(factory):
    off, *_, traced = factory.make_cells()
    return off, traced


LOSS = Failure(kind="lost_traces", message="3 of 10 traces are not in the store")


def test_costs_are_medians_over_sound_blocks_with_interval_and_coverage(factory, cells):
    _, traced = cells
    good = [sample(traced, block, 10 + block) for block in range(6)]  # 10 … 15: median 12.5, interval (10, 15)
    bad = [sample(traced, 6, 99, failures=(LOSS,))]
    row = cost_table(factory.make_results([traced], good + bad, blocks=8)).loc[(traced.id, "latency_p50_ms")]
    assert (row["median"], row.low, row.high, row.n, row.m, row.sound) == (12.5, 10, 15, 6, 8, True)


def test_where_no_block_is_sound_the_failed_ones_are_shown_and_marked(factory, cells):
    _, traced = cells
    bad = [sample(traced, block, 20, failures=(LOSS,)) for block in range(3)]
    row = cost_table(factory.make_results([traced], bad)).loc[(traced.id, "latency_p50_ms")]
    assert (row["median"], row.n, row.sound) == (20, 3, False)
    assert np.isnan(row.low)


def test_a_cell_without_any_number_has_none(factory, cells):
    _, traced = cells
    crash = factory.make_sample(traced, 0, crash="boom")
    frame = cost_table(factory.make_results([traced], [crash]))
    assert frame["median"].isna().all()
    assert (frame["n"] == 0).all()


def test_overhead_is_the_difference_within_blocks_per_invocation_and_per_span(factory, cells):
    off, traced = cells
    # Per block: latency 2, 3, 4 … over off, which itself drifts; 40 spans in 10 traces are 4 spans an invocation.
    samples = [sample(off, b, 10.0 * (b + 1)) for b in range(6)]
    samples += [sample(traced, b, 10.0 * (b + 1) + 2 + b, cpu_ms=5) for b in range(6)]
    frame = overhead_table(factory.make_results([off, traced], samples))
    assert set(frame.index.get_level_values("cell")) == {traced.id}
    latency = frame.loc[(traced.id, "latency_overhead_ms")]
    assert (latency["median"], latency.low, latency.high) == pytest.approx((4.5, 2, 7))
    assert frame.loc[(traced.id, "latency_overhead_us_per_span")]["median"] == pytest.approx(4.5 * 1000 / 4)
    assert frame.loc[(traced.id, "cpu_overhead_ms")]["median"] == pytest.approx(4)
    assert frame.loc[(traced.id, "cpu_overhead_us_per_span")]["median"] == pytest.approx(1000)


def test_overhead_needs_off_of_the_same_workflow_and_concurrency(factory, cells):
    off, traced = cells
    other = traced.model_copy(update={"concurrency": 8})
    samples = [sample(off, 0, 1), sample(traced, 0, 2), sample(other, 0, 3)]
    frame = overhead_table(factory.make_results([off, traced, other], samples))
    assert set(frame.index.get_level_values("cell")) == {traced.id}
    assert overhead_table(factory.make_results([other], [sample(other, 0, 3)])).empty


def test_overhead_leaves_out_blocks_in_which_off_failed(factory, cells):
    off, traced = cells
    trouble = (Failure(kind="invocation_failed", message="x"),)
    samples = [sample(off, 0, 1), sample(off, 1, 1, failures=trouble), sample(traced, 0, 3), sample(traced, 1, 3)]
    row = overhead_table(factory.make_results([off, traced], samples)).loc[(traced.id, "latency_overhead_ms")]
    assert (row["median"], row.n) == (2, 1)


def test_losses_count_what_could_be_counted(factory, cells):
    off, traced = cells
    samples = [
        sample(traced, 0, 1),
        sample(traced, 1, 1, stored=7, failures=(LOSS,)),
        factory.make_sample(traced, 2, crash="boom"),
        sample(off, 0, 1),
    ]
    frame = loss_table(factory.make_results([off, traced], samples))
    row = frame.loc[traced.id]
    assert (row.made, row.stored, row.lost, row.counted) == (20, 17, 3, 2)
    assert (row.failed, row.measured, row.m) == (2, 3, 6)
    assert set(row.what.split(", ")) == {"lost traces", "crashed"}
    assert frame.loc[off.id].made == 0


def test_failures_that_differ_only_in_numbers_are_one_row(factory, cells):
    _, traced = cells
    samples = [
        sample(traced, block, 1, failures=(Failure(kind="lost_traces", message=f"{block} of 10", detail=str(block)),))
        for block in (1, 2, 5)
    ]
    samples.append(factory.make_sample(traced, 3, crash="boom"))
    lost, crashed = failure_table(factory.make_results([traced], samples)).itertuples()
    assert (lost.cell, lost.kind, lost.message, lost.blocks, lost.detail) == (
        traced.id, "lost_traces", "1 of 10", [1, 2, 5], "1",
    )  # fmt: skip
    assert (crashed.kind, crashed.message, crashed.blocks) == ("crashed", "boom", [3])
