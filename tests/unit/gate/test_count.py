import pytest

from tracegauge.gate import judge_campaign
from tracegauge.results import Verdict


def judged(results):
    return judge_campaign(results).criteria[0]


@pytest.mark.parametrize(
    ("lost", "margin", "verdict"),
    [
        ([0, 0, 0], 0, Verdict.PASS),
        ([0, 1, 0], 0, Verdict.REGRESSED),  # one block is enough
        ([2, 1, 0], 2, Verdict.PASS),  # the margin itself is allowed
        ([3, 3, 3], 2, Verdict.REGRESSED),
    ],
)
def test_verdict_by_the_worst_block(build, lost, margin, verdict):
    samples = [build.sample(build.new, block, lost=n) for block, n in enumerate(lost)]
    found = judged(build.campaign(samples, build.count(margin), blocks=3))
    assert found.verdict is verdict
    assert found.estimate == max(lost)
    assert found.block_values == tuple(lost)
    assert found.interval is None


def test_exceeding_blocks_are_named(build):
    samples = [build.sample(build.new, block, lost=n) for block, n in enumerate([0, 4, 0, 7])]
    found = judged(build.campaign(samples, build.count(), blocks=4))
    assert "Up to 7 traces in blocks 1 and 3, 0 allowed" in found.reason


def test_a_crashed_block_bars_the_pass_but_not_the_regression(build):
    rest = [build.sample(build.new, 0), build.crash(build.new, 1)]
    passed = judged(build.campaign([*rest, build.sample(build.new, 2)], build.count(), blocks=3))
    assert passed.verdict is Verdict.INCONCLUSIVE
    assert "failed in block 1 (ValueError: no such table)" in passed.reason
    failed = judged(build.campaign([*rest, build.sample(build.new, 2, lost=1)], build.count(), blocks=3))
    assert failed.verdict is Verdict.REGRESSED


def test_blocks_without_a_count_or_not_measured_bar_the_pass(build):
    uncounted = [build.sample(build.new, block, counted=False) for block in range(3)]
    assert judged(build.campaign(uncounted, build.count(), blocks=3)).verdict is Verdict.INCONCLUSIVE
    two = [build.sample(build.new, block) for block in range(2)]
    assert judged(build.campaign(two, build.count(), blocks=3)).verdict is Verdict.INCONCLUSIVE
    nothing = judged(build.campaign([], build.count(), blocks=3))
    assert (nothing.verdict, nothing.estimate) == (Verdict.INCONCLUSIVE, None)
