"""The tables of the proof that the gate is right: what they count, and that they say it of how many."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "bench" / "gate_accuracy"


@pytest.fixture
def bench(monkeypatch):
    """The modules of `bench/gate_accuracy`, which import each other as `python bench/gate_accuracy` has them."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import small_campaigns
    import tables

    yield tables, small_campaigns
    for name in ("tables", "small_campaigns"):
        del sys.modules[name]


def aa(number, verdict, session_ms, *, hog=False):
    return {
        "kind": "aa",
        "number": number,
        "slowdown": 0.0,
        "hog": hog,
        "verdict": verdict,
        "session_median_ms": session_ms,
        "candidate": [11.0, 10.0, 10.0],
        "baseline": [10.0, 11.0, 10.0],
    }


def test_sessions_of_pytest_benchmark_are_compared_under_the_same_load_only(bench):
    tables, _ = bench
    rows = [
        aa(0, "PASS", 10.0),
        aa(1, "PASS", 10.4),
        aa(2, "INCONCLUSIVE", 20.0, hog=True),
        aa(3, "PASS", 11.0),  # 5.8% above 10.4
        aa(4, "REGRESSED", 10.0),
        aa(5, "PASS", 20.9, hog=True),
    ]
    lines = tables.aa_table(rows[::-1]).splitlines()  # in whatever order they stand in the file
    assert lines[0].endswith("| `median:5%` fails |")
    # Clopper and Pearson: 3 of 4 -> [19%, 99%], 1 of 4 -> [1%, 81%], 1 of 3 -> [1%, 91%], 0 of 4 -> [0%, 60%]
    assert lines[2] == "| nothing | 4 | 75% [19%, 99%] | 25% [1%, 81%] | 0% [0%, 60%] | 33% [1%, 91%] of 3 |"
    assert lines[3].startswith("| a process that keeps a core busy | 2 | 50% [1%, 99%] | 0% ")
    assert lines[3].endswith("| 0% [0%, 98%] of 1 |")
    # logarithms of the ratios: ln 1.1, -ln 1.1 and 0, whose standard deviation is ln 1.1 = 9.5%
    assert "log ratio: 9.5%" in lines[-1]


def test_a_slowdown_has_a_line_with_what_was_found_and_how_long_it_took(bench):
    tables, _ = bench
    rows = [
        {"slowdown": slowdown, "verdict": verdict, "seconds": seconds, "blocks": 8}
        for slowdown, verdict, seconds in [
            (0.3, "REGRESSED", 4.0),
            (0.15, "REGRESSED", 10.0),
            (0.15, "REGRESSED", 12.0),
            (0.15, "INCONCLUSIVE", 40.0),
        ]
    ]
    at_15, at_30 = tables.injected_table(rows).splitlines()[2:]
    assert at_15.startswith("| +15% | 3 | 67% [9%, 99%] | 0% ")
    assert at_15.endswith("| 12 (40) | 8 |")
    assert at_30.startswith("| +30% | 1 | 100% [3%, 100%] |")


def test_a_table_replaces_the_one_between_its_marks_and_nothing_else(bench, tmp_path):
    tables, _ = bench
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- aa: begin -->\nold\n<!-- aa: end -->\nb <!-- injected: begin --><!-- injected: end -->\n")
    tables.fill(page, "aa", "new")
    assert page.read_text() == (
        "a\n<!-- aa: begin -->\nnew\n<!-- aa: end -->\nb <!-- injected: begin --><!-- injected: end -->\n"
    )
    with pytest.raises(ValueError, match="the marks of simulate are missing"):
        tables.fill(page, "simulate", "new")


def test_a_campaign_that_was_cut_off_costs_no_other_one(bench, tmp_path):
    _, small_campaigns = bench
    file = tmp_path / "new" / "results.jsonl"
    small_campaigns.append_row(file, {"number": 0})
    file.write_text(file.read_text() + '{"number": 1, "verd')
    small_campaigns.append_row(file, {"number": 2})
    small_campaigns.append_row(file, {"number": 3})
    assert [row["number"] for row in small_campaigns.read_rows(file)] == [0, 2, 3]
