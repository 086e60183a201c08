import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.gate import judge_campaign
from tracegauge.results import Failure, Verdict

TEN = [10.0] * 6


def judged(results):
    return judge_campaign(results).criteria[0]


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        # against 10 ms in every block, with 6 blocks: the interval is (smallest, largest ratio), the limit is 1.05
        ([9.9, 10.0, 10.1, 10.2, 10.3, 10.4], Verdict.PASS),  # [0.99, 1.04]
        ([10.5] * 6, Verdict.PASS),  # [1.05, 1.05]: the limit itself is allowed
        ([10.6, 10.7, 10.8, 10.9, 11, 12], Verdict.REGRESSED),  # [1.06, 1.2]
        ([10.4, 11, 11, 11, 11, 11], Verdict.INCONCLUSIVE),  # [1.04, 1.1]: the limit is inside
        ([9, 9, 9, 9, 9, 10.6], Verdict.INCONCLUSIVE),  # [0.9, 1.06]
    ],
)
def test_verdict_by_where_the_interval_lies(build, new, verdict):
    found = judged(build.campaign(build.latencies(new, TEN), build.ratio()))
    assert found.verdict is verdict
    assert found.interval == pytest.approx((min(new) / 10, max(new) / 10))
    assert found.block_values == pytest.approx([value / 10 for value in new])
    assert found.candidate_median == pytest.approx(sorted(new)[2] / 2 + sorted(new)[3] / 2)
    assert found.baseline_median == 10
    assert (found.blocks, found.blocks_planned) == (6, 6)


def test_ratios_are_taken_within_blocks_so_that_a_slow_block_cancels(build):
    mood = [1, 2, 4, 8, 16, 32]
    found = judged(build.campaign(build.latencies([m * 10.2 for m in mood], [m * 10.0 for m in mood]), build.ratio()))
    assert found.verdict is Verdict.PASS
    assert found.interval == pytest.approx((1.02, 1.02))


def test_where_higher_is_better_the_ratio_is_turned_round_and_says_so(build):
    # 10 invocations in 200 ms are 50/s against 100/s: half as good, so baseline / candidate is 2
    samples = [build.sample(build.new, b, wall_ms=200.0) for b in range(6)]
    samples += [build.sample(build.old, b, wall_ms=100.0) for b in range(6)]
    found = judged(build.campaign(samples, build.ratio("throughput_per_s")))
    assert found.verdict is Verdict.REGRESSED
    assert found.estimate == pytest.approx(2)
    assert "higher is better" in found.reason


def test_five_blocks_are_too_few_however_good_they_look(build):
    found = judged(build.campaign(build.latencies([5.0] * 5, TEN[:5]), build.ratio(), blocks=5))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.interval is None
    assert found.estimate == pytest.approx(0.5)
    assert "at least 6" in found.reason


@pytest.mark.parametrize("side", ["new", "old"])
def test_a_failed_block_is_not_paired_and_bars_the_pass(build, side):
    cell = getattr(build, side)
    samples = build.latencies([9.0] * 8, [10.0] * 8)
    failed = [build.sample(s.cell, 3, lost=4) if (s.cell, s.block) == (cell, 3) else s for s in samples]
    found = judged(build.campaign(failed, build.ratio(), blocks=8))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.blocks == 7
    assert found.estimate == pytest.approx(0.9)
    assert f"{cell.id} failed in block 3 (4 of 10 traces are not in the store)" in found.reason


def test_a_failed_block_does_not_hide_a_regression(build):
    samples = [*build.latencies([20.0] * 7, [10.0] * 7), build.crash(build.new, 7), build.sample(build.old, 7)]
    found = judged(build.campaign(samples, build.ratio(), blocks=8))
    assert found.verdict is Verdict.REGRESSED
    assert "block 7" in found.reason


def test_blocks_that_are_not_measured_yet_bar_the_pass(build):
    found = judged(build.campaign(build.latencies(TEN, TEN), build.ratio(), blocks=10))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "4 planned blocks" in found.reason


def test_a_baseline_of_zero_has_no_ratio(build):
    found = judged(build.campaign(build.latencies([10.0] * 7, [0.0, *[10.0] * 6]), build.ratio(), blocks=7))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.blocks == 6
    assert "undefined in block 0" in found.reason


def test_a_metric_that_a_cell_does_not_have_is_told(build):
    found = judged(build.campaign(build.latencies(TEN, TEN), build.ratio("bytes_per_trace")))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.estimate is None
    assert "no such number in blocks 0-5" in found.reason


def test_no_samples_at_all(build):
    found = judged(build.campaign([], build.ratio()))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.blocks == 0
    assert found.candidate_median is None


def test_one_reason_is_quoted_and_others_are_counted(build):
    trouble = [
        build.sample(build.new, b, failures=[Failure(kind="orphan_spans", message=f"{b} spans have no parent")])
        for b in range(1, 4)
    ]
    samples = [
        *trouble,
        *(build.sample(build.new, b) for b in (0, 4, 5)),
        *(build.sample(build.old, b) for b in range(6)),
    ]
    assert "blocks 1-3 (1 spans have no parent, and 2 more)" in judged(build.campaign(samples, build.ratio())).reason


@given(
    st.lists(st.floats(0.5, 2.0), min_size=6, max_size=20),
    st.floats(0.01, 0.5),
    st.floats(1.01, 1.5),
)
def test_a_slower_candidate_never_gets_a_better_verdict(build, new, margin, slowdown):
    rank = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.REGRESSED: 2}
    old = [1.0] * len(new)

    def verdict(values):
        results = build.campaign(build.latencies(values, old), build.ratio(margin=margin), blocks=len(values))
        return rank[judged(results).verdict]

    assert verdict([value * slowdown for value in new]) >= verdict(new)


def test_a_baselines_failures_are_forgiven_where_the_criterion_says_so_and_are_told(build):
    samples = build.latencies([9.0] * 6, [10.0] * 6)
    lossy = [build.sample(s.cell, s.block, 10.0, lost=4) if s.cell == build.old and s.block < 3 else s for s in samples]
    forgiving = build.other("ratio", margin=0.05, baseline_may_fail=["lost_traces"])
    assert judged(build.campaign(lossy, build.ratio())).blocks == 3
    found = judged(build.campaign(lossy, forgiving))
    assert (found.verdict, found.blocks) == (Verdict.PASS, 6)
    assert f"used as the criterion allows, although {build.old.id} failed in blocks 0-2 (4 of 10 traces" in found.reason


@pytest.mark.parametrize("side", ["new", "old"])
def test_only_the_named_failures_of_the_baseline_are_forgiven(build, side):
    cell = getattr(build, side)
    kind = "invocation_failed" if side == "old" else "lost_traces"
    failures = [Failure(kind="lost_traces", message="4 are lost"), Failure(kind=kind, message="this is grave")]
    samples = [
        build.sample(s.cell, s.block, 9.0, failures=failures) if (s.cell, s.block) == (cell, 3) else s
        for s in build.latencies([9.0] * 7, [10.0] * 7)
    ]
    forgiving = build.other("ratio", margin=0.05, baseline_may_fail=["lost_traces"])
    found = judged(build.campaign(samples, forgiving, blocks=7))
    assert (found.verdict, found.blocks) == (Verdict.INCONCLUSIVE, 6)
    assert f"{cell.id} failed in block 3 ({'this is grave' if side == 'old' else '4 are lost'}" in found.reason


def test_a_baseline_that_crashed_gives_no_value_whatever_is_forgiven(build):
    samples = [*build.latencies([9.0] * 7, [10.0] * 6), build.crash(build.old, 6)]
    forgiving = build.other("ratio", margin=0.05, baseline_may_fail=["lost_traces"])
    assert judged(build.campaign(samples, forgiving, blocks=7)).blocks == 6
