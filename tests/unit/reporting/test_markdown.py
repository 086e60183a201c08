from tracegauge.reporting import render_markdown
from tracegauge.results import CampaignVerdict, Verdict


def test_verdict_table_reasons_and_warnings(factory):
    _, verdict = factory.make_quick()
    lines = render_markdown(verdict).splitlines()
    assert lines[0] == "## REGRESSED: quick"
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert {line.count("|") for line in table} == {8}
    assert table[2].startswith(
        "| REGRESSED | Writing a trace to SQLite costs no more CPU than to files (sqlite-writes) |"
    )
    assert "×3.09 \\[3.01, 3.17\\] | ≤ ×1.05 | 6 of 6 |" in table[2]
    assert sum(line.startswith("- **Warning:**") for line in lines) == 3
    assert sum(line.startswith("- sqlite-reads-1000") for line in lines) == 0, "a pass needs no explaining"


def test_names_from_outside_break_neither_table_nor_page(factory):
    hostile = "a|b\n<img src=x> *c* @d `e`"
    criterion = factory.make_criterion("x", Verdict.PASS, estimate=1, interval=(1, 1), claim=hostile)
    text = render_markdown(CampaignVerdict(campaign="c", verdict=Verdict.PASS, criteria=(criterion,)))
    row = next(line for line in text.splitlines() if "a\\|b" in line)
    assert row.replace("\\|", "").count("|") == 8
    assert "\\<img" in row
    assert "\\*c\\*" in row


def test_no_criteria(factory):
    text = render_markdown(CampaignVerdict(campaign="c", verdict=Verdict.INCONCLUSIVE, criteria=()))
    assert "no criteria" in text
    assert "|" not in text
