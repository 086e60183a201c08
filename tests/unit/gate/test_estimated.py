"""Differences, limits, absolute margins and promised reductions; ratios have their own file."""

import pytest

from tracegauge.gate import judge_campaign
from tracegauge.results import Verdict

TEN = [10.0] * 6


def judged(results):
    return judge_campaign(results).criteria[0]


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        # against 10 ms, allowed 2 ms more; six blocks: the interval is the smallest to the largest difference
        ([11.0, 11.2, 11.4, 11.6, 11.8, 12.0], Verdict.PASS),
        ([12.1, 12.2, 12.3, 12.4, 12.5, 12.6], Verdict.REGRESSED),
        ([11.9, 12.2, 12.3, 12.4, 12.5, 12.6], Verdict.INCONCLUSIVE),
    ],
)
def test_a_difference_is_judged_in_the_metrics_unit(build, new, verdict):
    found = judged(build.campaign(build.latencies(new, TEN), build.other("difference", margin=2)))
    assert found.verdict is verdict
    assert found.bound == 2
    assert found.interval == pytest.approx((min(new) - 10, max(new) - 10))
    assert found.block_values == pytest.approx([value - 10 for value in new])
    assert (found.candidate_values, found.baseline_values) == (tuple(new), tuple(TEN))
    assert "2 ms" in found.reason


def test_a_limit_needs_no_baseline(build):
    slow = [2900.0, 2950.0, 2960.0, 2970.0, 2980.0, 2990.0]
    found = judged(build.campaign(build.latencies(slow, TEN), build.other("limit", margin=3000)))
    assert (found.verdict, found.bound, found.baseline_values) == (Verdict.PASS, 3000, ())
    assert judged(build.campaign(build.latencies(slow, TEN), build.other("limit", margin=2000))).verdict is (
        Verdict.REGRESSED
    )


@pytest.mark.parametrize(("least", "verdict"), [(40, Verdict.PASS), (60, Verdict.REGRESSED), (50, Verdict.PASS)])
def test_a_limit_of_what_should_be_high_must_be_reached(build, least, verdict):
    # ten invocations in 200 ms: 50 per second
    samples = [build.sample(cell, block, wall_ms=200.0) for cell in (build.new, build.old) for block in range(6)]
    found = judged(build.campaign(samples, build.other("limit", "throughput_per_s", margin=least)))
    assert found.verdict is verdict
    assert found.interval == pytest.approx((50, 50))
    assert ("below 60" in found.reason) is (verdict is Verdict.REGRESSED)


@pytest.mark.parametrize(
    ("old", "verdict"),
    [
        (10.0, Verdict.PASS),  # 0.9 ms more are 9%: within 1 ms
        (100.0, Verdict.PASS),  # 0.9%
        (1.0, Verdict.PASS),  # 90%, but still less than 1 ms more
    ],
)
def test_the_more_generous_of_two_margins_counts(build, old, verdict):
    results = build.campaign(
        build.latencies([old + 0.9] * 6, [old] * 6), build.other("ratio", margin=0.05, absolute_margin=1.0)
    )
    found = judged(results)
    assert found.verdict is verdict
    assert found.bound == pytest.approx(1 + max(0.05, 1 / old))


@pytest.mark.parametrize(("more", "verdict"), [(0.95, Verdict.PASS), (1.05, Verdict.REGRESSED)])
def test_an_absolute_margin_is_the_same_in_slow_blocks_and_in_quick_ones(build, more, verdict):
    """1 ms is 100% of what a quick block takes and 25% of a slow one: a share of their median would be neither."""
    old = [1.0, 1.0, 1.0, 4.0, 4.0, 4.0]
    results = build.campaign(
        build.latencies([one + more for one in old], old), build.other("ratio", margin=0.05, absolute_margin=1.0)
    )
    found = judged(results)
    assert found.verdict is verdict
    assert found.bound == pytest.approx(1 + 1 / 2.5)
    # of a quick block (1 + more) / 1 where 2 are allowed, of a slow one (4 + more) / 4 where 1.25 are: as shares of 1.4
    assert found.block_values[0] == pytest.approx((1 + more) / 2 * 1.4)
    assert found.block_values[-1] == pytest.approx((4 + more) / 5 * 1.4)


def test_beyond_both_margins_it_regressed(build):
    results = build.campaign(build.latencies([12.0] * 6, TEN), build.other("ratio", margin=0.05, absolute_margin=1.0))
    assert judged(results).verdict is Verdict.REGRESSED


@pytest.mark.parametrize(("new", "verdict"), [(6.9, Verdict.PASS), (7.1, Verdict.REGRESSED)])
def test_a_promised_reduction_is_a_negative_margin(build, new, verdict):
    found = judged(build.campaign(build.latencies([new] * 6, TEN), build.other("ratio", margin=-0.3)))
    assert found.verdict is verdict
    assert found.bound == pytest.approx(0.7)


def test_what_could_be_detected_and_how_many_blocks_would_decide(build):
    new = [10.0, 10.2, 10.4, 10.6, 10.8, 11.0]  # +5% in the middle of a spread of 4%: nothing can be told
    found = judged(build.campaign(build.latencies(new, TEN), build.ratio(margin=0.04)))
    assert found.verdict is Verdict.INCONCLUSIVE
    # log ratios have sd 0.0357; all six lie above the bound in 80% if Phi(shift / sd)^6 = 0.8: 1.79 sd = 0.064
    assert found.detectable == pytest.approx(1.04 * 1.066, rel=2e-3)
    assert found.blocks_needed is not None
    assert found.blocks_needed > 6
    assert f"about {found.blocks_needed} blocks in all would decide" in found.reason
    decided = judged(build.campaign(build.latencies([10.0] * 6, TEN), build.ratio()))
    assert decided.blocks_needed is None
    assert decided.p_regressed == pytest.approx(1)
