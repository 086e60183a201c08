"""The page of two compared runs."""

import io

import pytest
from rich.console import Console

from tracegauge.reporting import print_comparison, write_comparison
from tracegauge.results import Verdict
from tracegauge.results.comparison import ComparedMetric, Comparison, Machine, RunRef, Spread

HOSTILE = "<script>alert(1)</script>"


def row(id, estimate, verdict, **changes):
    return ComparedMetric(
        **{
            "id": id, "base_id": id, "metric": "latency_p50_ms", "unit": "ms", "base_median": 10.0,
            "candidate_median": 10.0 * (estimate or 1), "base_n": 8, "candidate_n": 8, "values": "blocks",
            "estimate": estimate, "interval": (estimate * 0.9, estimate * 1.1) if estimate else None, "p_holm": 0.0002,
            "verdict": verdict, "reason": f"About {id}.", **changes,
        }
    )  # fmt: skip


def compared(*rows, **changes):
    machine = Machine(host="bench-1", cpu_cores=2)
    return Comparison(
        **{
            "base": RunRef(path="reports/old", kind="campaign", commit="0bec83d5a6f1c2", machine=machine),
            "candidate": RunRef(path=HOSTILE, kind="campaign"), "margin": 0.15, "rows": rows,
            "spread": Spread(session_sd=0.04, source="default", explanation="two runs differ by 4%"),
            "verdict": Verdict.REGRESSED, **changes,
        }
    )  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(comparison):
        write_comparison(comparison, tmp_path / "comparison.html")
        return " ".join((tmp_path / "comparison.html").read_text(encoding="utf-8").split())

    return write


def test_old_and_new_stand_side_by_side_with_what_moved_and_how_sure(written):
    page = written(
        compared(
            row("autolog", 1.4, Verdict.REGRESSED),
            row("off", 1.0, Verdict.PASS, base_id="plain"),
            row(HOSTILE, None, Verdict.INCONCLUSIVE, base_median=None, candidate_median=None, p_holm=None),
            missing=("gone",), new=("arrived",), warnings=("The machines differ.",),
        )
    )  # fmt: skip
    assert "<title>REGRESSED: comparison – tracegauge</title>" in page
    assert "Of 3 compared numbers, 1 regressed, 1 can&#39;t be told, 1 passed; allowed is +15%." in page
    assert "+40% [+26%, +54%]" in page
    assert "&lt; 0.001" in page
    assert "plain → off" in page
    assert '<dt>Missing in the candidate</dt><dd class="loud">gone</dd>' in page
    assert "<dt>New in the candidate</dt><dd>arrived</dd>" in page
    assert "<li>The machines differ.</li>" in page
    assert "Spread between runs: two runs differ by 4%." in page
    assert "Changes range from ±0% (off) to +40% (autolog)." in page
    assert HOSTILE not in page


def test_nothing_in_common_is_told(written):
    page = written(compared(missing=("a",), new=("b",), verdict=Verdict.INCONCLUSIVE))
    assert "No id has a number in both runs" in page
    assert "<svg" not in page


@pytest.mark.parametrize("width", [40, 80, 120])
def test_in_the_terminal_nothing_is_left_out_however_narrow_it_is(width):
    long = "a_workflow_with_a_long_name-manual_spans-sqlite-c1"
    console = Console(file=io.StringIO(), width=width)
    print_comparison(compared(row(long, 1.4, Verdict.REGRESSED)), console)
    text = console.file.getvalue()
    if width < 100:  # a table folds it beside other columns
        assert long in "".join(text.split())
    assert "…" not in text
    assert "REGRESSED" in text
    assert "+40%" in text
    assert max(map(len, text.splitlines()[2:])) <= width
