import io

import pytest
from rich.console import Console

from tracegauge.reporting import ReportData, print_report


@pytest.fixture
def printed(factory):
    def print_at(width, **options):
        out = io.StringIO()
        print_report(ReportData(*factory.make_quick()), Console(file=out, width=width, **options))
        return out.getvalue()

    return print_at


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_that_matters_is_lost(printed, width):
    text = printed(width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    words = " ".join(text.split())
    for word in ("REGRESSED", "INCONCLUSIVE", "PASS", "sqlite-writes", "3.09", "10/180"):
        assert word in words


def test_wide_terminals_show_every_cost_with_what_failed(printed):
    text = printed(140)
    row = next(line for line in text.splitlines() if "autolog · sqlite" in line)
    assert "4 of 6 lost traces" in row
    assert row.count(" ms") == 4
    assert "KiB" in row


def test_the_verdict_is_the_last_thing_but_for_the_scope(printed):
    lines = printed(200).rstrip().splitlines()
    assert lines[-2].startswith("REGRESSED  Of 4 criteria, 2 regressed")
    assert lines[-1].startswith("7 cells in 6 blocks")


def test_colours_are_used_on_a_terminal_and_left_out_where_the_user_wants_none(printed, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31mREGRESSED" in printed(100, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in printed(100, force_terminal=True)


def test_names_are_not_taken_for_markup(factory):
    results, verdict = factory.make_quick()
    hostile = verdict.model_copy(update={"warnings": ("[red]not red[/red]",)})
    out = io.StringIO()
    print_report(ReportData(results, hostile), Console(file=out, width=120))
    assert "[red]not red[/red]" in out.getvalue()


def test_numbers_of_failed_blocks_are_marked(factory):
    cells = factory.make_cells()
    _, verdict = factory.make_quick()
    results = factory.make_results(cells, [factory.make_sample(c, 0, lost=2 if c.backend else 0) for c in cells])
    out = io.StringIO()
    print_report(ReportData(results, verdict), Console(file=out, width=140))
    assert "ms†" in out.getvalue()
    assert "† no block passed its checks" in out.getvalue()
