"""The page of two sets of traces that judges have compared."""

import html
import re

import pytest

from tracegauge.reporting import render_judge_comparison
from tracegauge.results import Verdict
from tracegauge.results.calibration import MOCK_NOTE, Share
from tracegauge.results.judge_comparison import ChangedItem, JudgeComparison, Measure

HOSTILE = "<script>alert(1)</script>"


def share(count, n):
    return Share(count=count, n=n, interval=(0.1, 0.9))


def measure(judge, verdict, **changes):
    return Measure(
        **{
            "judge": judge, "digest": "1a51c0de4b2f901d", "name": "pass rate", "scored_a": share(40, 40),
            "scored_b": share(38, 40), "pairs": 38, "a": 0.9, "b": 0.625, "difference": -0.275,
            "interval": (-0.41, -0.123), "test": "McNemar, exact", "p": 0.0003, "p_holm": 0.0006, "detectable": 0.24,
            "margin": 0.05, "span": 1.0, "either_way": False, "same_content": share(20, 38),
            "changed_with_same_content": share(1, 20), "changed_with_other_content": share(12, 18),
            "changed": (ChangedItem(a="tr-a", b="tr-b", value_a=True, value_b=False),), "verdict": verdict,
            "reason": f"About {judge}.", **changes,
        }
    )  # fmt: skip


def compared(*measures, **changes):
    return JudgeComparison(
        **{
            "store": "http://127.0.0.1:5000", "a": "version=1.2", "b": "version=1.3", "made_at": "2026-11-24T18:30:00Z",
            "matched_by": "equal inputs", "measures": measures, "verdict": Verdict.REGRESSED, "mock": False, **changes,
        }
    )  # fmt: skip


def words(page):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


WHOLE = {
    "name": "mean", "pairs": None, "a": 3.8, "b": 3.7, "difference": -0.1, "interval": (-0.3, 0.1), "span": 4.0,
    "margin": 0.2, "test": "Mann-Whitney", "p_holm": 0.31, "detectable": 0.33, "either_way": True, "changed": (),
    "same_content": None, "changed_with_same_content": None, "changed_with_other_content": None, "digest": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return render_judge_comparison(
        compared(measure("helpful", Verdict.REGRESSED), measure("length", Verdict.INCONCLUSIVE, **WHOLE))
    )


@pytest.mark.parametrize(
    "said",
    [
        "REGRESSED Of 2 measures, 1 regressed, 1 can't be told.",
        "A, before version=1.2 B, after version=1.3 Store http://127.0.0.1:5000 Compared 2026-11-24 18:30 UTC",
        "pass rate 90.0% 62.5% -27.5 points [-41.0, -12.3] 5.0 points lost < 0.001 REGRESSED About helpful.",
        "not one of ours mean 3.80 3.70 -0.10 [-0.30, +0.10] 0.20 either way 0.310 INCONCLUSIVE About length.",
        "B less A is from helpful, pass rate: -27.5 points [-41.0, -12.3] to length, mean: -0.10 [-0.30, +0.10].",
        "and said something else 5.0% [10.0%, 90.0%], 1 of 20",
        "1 of 38 pairs changed Trace of A Said Trace of B Said tr-a true tr-b false",
        "helpful: pass rate 38 pairs by equal inputs 100.0% [10.0%, 90.0%], 40 of 40",
        "95.0% [10.0%, 90.0%], 38 of 40 McNemar, exact 24.0 points",
        "length: mean all that is scored",
    ],
)
def test_a_and_b_stand_side_by_side_with_what_moved_and_how_sure(page, said):
    assert said in words(page)


def test_the_page_is_whole_and_names_a_mock_only_where_there_is_one(page):
    assert "<title>REGRESSED: judges compared – tracegauge</title>" in page
    assert page.count("<svg") == 1
    assert page.count("<th ") == page.count(" scope=")
    assert MOCK_NOTE not in page


def test_a_mock_is_told_beside_the_verdict_at_the_table_and_in_the_figure():
    page = render_judge_comparison(compared(measure("m", Verdict.PASS), mock=True, warnings=(MOCK_NOTE,)))
    assert f'<p class="alert">{MOCK_NOTE}</p>' in page
    assert f"A and B side by side; {MOCK_NOTE}</caption>" in page
    assert f"({MOCK_NOTE})." in words(page)
    assert f"<li>{MOCK_NOTE}</li>" not in page


def test_sides_compared_as_a_whole_have_no_pairs_that_changed():
    page = render_judge_comparison(compared(measure("m", Verdict.PASS, **WHOLE)))
    assert 'id="changed"' not in page
    assert "#changed" not in page


def test_of_very_many_changed_pairs_the_page_shows_some_and_says_so():
    many = tuple(ChangedItem(a=f"a{n}", b=f"b{n}", value_a=1, value_b=2) for n in range(60))
    said = words(render_judge_comparison(compared(measure("m", Verdict.PASS, pairs=90, changed=many))))
    assert "60 of 90 pairs changed" in said
    assert "10 more are in what --json prints." in said


def test_hostile_names_are_escaped():
    item = ChangedItem(a=HOSTILE, b=HOSTILE, value_a=HOSTILE, value_b=HOSTILE)
    hostile = measure(HOSTILE, Verdict.PASS, name=f"share of {HOSTILE}", reason=HOSTILE, changed=(item,))
    page = render_judge_comparison(
        compared(hostile, a=HOSTILE, b=HOSTILE, store=HOSTILE, matched_by=HOSTILE, warnings=(HOSTILE,))
    )
    assert HOSTILE not in page
    assert page.count("<script") == 1


def test_nothing_in_common_is_told():
    page = render_judge_comparison(compared(verdict=Verdict.INCONCLUSIVE))
    assert "No judge scored both sides, so there is nothing to draw." in page
    assert "<svg" not in page
