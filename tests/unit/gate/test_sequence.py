"""Sequential campaigns: looks at 8 and 16 blocks, each with half of the 2.5%."""

import pytest

from tracegauge.gate import is_decided, judge_campaign
from tracegauge.results import Verdict

LOOKS = (8, 16)
TEN = [10.0] * 16
UNSURE = [10.4, 10.7] * 4
"""Around the margin of 5%."""


def results(build, new, *criteria, looks=LOOKS):
    return build.campaign(build.latencies(new, TEN[: len(new)]), *(criteria or (build.ratio(),)), looks=looks)


def test_it_is_decided_at_the_first_look_that_tells_and_keeps_that_verdict(build):
    found = judge_campaign(results(build, [10.0] * 8 + [20.0] * 8)).criteria[0]
    assert found.verdict is Verdict.PASS
    assert (found.blocks, found.blocks_measured, found.blocks_planned) == (8, 8, 16)
    assert found.estimate == 1


def test_what_the_first_look_leaves_open_the_second_decides(build):
    undecided = results(build, UNSURE)
    assert not is_decided(undecided.record, undecided.samples)
    found = judge_campaign(undecided).criteria[0]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "can't be told yet" in found.reason

    # four blocks at 1.04, four at 1.07, eight at 1.12: of 136 Walsh averages 10 are below 1.05
    later = results(build, UNSURE + [11.2] * 8)
    found = judge_campaign(later).criteria[0]
    assert found.verdict is Verdict.REGRESSED
    assert found.blocks == 16
    assert is_decided(later.record, later.samples)


def test_before_the_first_look_nothing_is_said(build):
    early = results(build, [10.0] * 5)
    assert judge_campaign(early).criteria[0].verdict is Verdict.INCONCLUSIVE
    assert not is_decided(early.record, early.samples)


def test_a_decided_campaign_is_not_called_unfinished_and_an_undecided_one_says_how_to_go_on(build):
    assert judge_campaign(results(build, [10.0] * 8)).warnings == ()
    (warning,) = judge_campaign(results(build, UNSURE)).warnings
    assert "after 8 of at most 16 blocks" in warning
    assert "--resume" in warning


def test_a_campaign_goes_on_until_its_last_criterion_is_decided(build):
    mixed = build.latencies([10.0] * 8, TEN[:8])
    wide = build.other("ratio", "throughput_per_s", margin=0.05)
    mixed += [build.sample(build.new, 7, 10.0, wall_ms=140.0)]  # one block far off: throughput can't be told at 8
    found = build.campaign(mixed, build.ratio(), wide, looks=LOOKS)
    assert not is_decided(found.record, found.samples)


def test_what_only_failures_keep_from_passing_is_not_waited_for(build):
    samples = build.latencies([10.0] * 9, TEN[:9])
    samples[2] = build.crash(build.new, 2)
    found = build.campaign(samples, build.ratio(), looks=(9, 16))
    assert judge_campaign(found).criteria[0].verdict is Verdict.INCONCLUSIVE
    assert is_decided(found.record, found.samples)


def test_holm_says_which_of_many_can_be_named(build):
    # eight blocks give p = 2^-8 = 0.0039 at best: enough for one criterion and for six, not for seven (0.027)
    def judged(many):
        criteria = [build.other("ratio", margin=0.05, id=f"r{i}") for i in range(many)]
        return judge_campaign(build.campaign(build.latencies([20.0] * 8, TEN[:8]), *criteria, blocks=8)).criteria

    for many, named in [(1, True), (6, True), (7, False)]:
        for found in judged(many):
            assert found.verdict is Verdict.REGRESSED
            assert found.p_regressed == pytest.approx(2**-8)
            assert found.p_holm == pytest.approx(many * 2**-8)
            assert found.named is named
            assert ("Holm" in found.reason) is not named
