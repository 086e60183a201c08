"""Saved campaigns: their index, their trends, and what `--json` says."""

import io
import json

import pytest
from rich.console import Console

from tracegauge.reporting import (
    history_records,
    newest_campaign,
    print_history,
    read_histories,
    write_history,
    write_index,
)
from tracegauge.reporting.figures.trend import draw_trend
from tracegauge.reporting.history import sparkline
from tracegauge.results import CampaignVerdict, Verdict
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    ENVIRONMENT_FILE,
    SAMPLES_FILE,
    VERDICT_FILE,
    ResultFileError,
    append_samples,
    write_record,
)

HOSTILE = "<script>alert(1)</script>"


def slower(sample, factor):
    latency = tuple(int(ns * factor) for ns in sample.measurement.latency_ns)
    return sample.model_copy(update={"measurement": sample.measurement.model_copy(update={"latency_ns": latency})})


@pytest.fixture(scope="module")
def reports(factory, tmp_path_factory):
    """Four campaigns of one name, the last with autolog 1.5 times as slow; one without samples; and a damaged one."""
    reports = tmp_path_factory.mktemp("reports")
    cells = factory.make_cells()[:1] + factory.make_cells()[-2:]
    for day in range(4):
        shown = cells if day else cells[:2]  # the last cell is new from the second campaign on
        samples = [factory.make_sample(cell, block, invocations=20, seed=day) for block in range(6) for cell in shown]
        if day == 3:
            samples = [slower(s, 1.5) if s.cell.instrument == "autolog" else s for s in samples]
        results = factory.make_results(shown, samples)
        folder = reports / f"quick-{day}"
        folder.mkdir()
        record = results.record.model_copy(update={"started_at": f"2026-11-{10 + day}T10:00:00+00:00"})
        write_record(folder / CAMPAIGN_FILE, record)
        append_samples(folder / SAMPLES_FILE, samples)
        write_record(folder / ENVIRONMENT_FILE, results.environment)
    write_record(
        reports / "quick-3" / VERDICT_FILE, CampaignVerdict(campaign="quick", verdict=Verdict.PASS, criteria=())
    )
    (reports / "quick-3" / "index.html").write_text("a page")
    hostile = reports / "hostile"
    hostile.mkdir()
    write_record(hostile / CAMPAIGN_FILE, record.model_copy(update={"name": HOSTILE, "started_at": "2026-01-01"}))
    damaged = reports / "damaged"
    damaged.mkdir()
    (damaged / CAMPAIGN_FILE).write_text('{"schema_version": 0}')
    return reports


def test_the_index_lists_every_report_the_newest_first_and_says_what_cannot_be_read(reports):
    page = write_index(reports).read_text(encoding="utf-8")
    places = [page.index(f"2026-11-{day} 10:00") for day in (13, 12, 11, 10)]
    assert places == sorted(places)
    assert page.count('<a href="quick-3/index.html">quick</a>') == 1
    assert page.count("It has not been judged yet.") == 4
    assert "bench-1, 2 cores" in page
    assert "0bec83d5a6" in page
    assert "damaged: " in page
    assert HOSTILE not in page


def test_the_newest_campaign_is_found(reports, tmp_path):
    assert newest_campaign(reports).folder.name == "quick-3"
    for nothing in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ResultFileError, match=r"there is no report in .*: measure first"):
            newest_campaign(nothing)


def test_a_trend_per_cell_says_by_how_much_it_moved_and_whether_intervals_meet(reports):
    (history,) = read_histories(reports, "quick")
    trends = {(trend.cell, trend.quantity): trend for trend in history.trends}
    autolog = trends["article_writer-autolog-file-c1", "latency_p50_ms"]
    assert len(autolog.medians) == 4
    assert autolog.medians[-1] / autolog.medians[-2] == pytest.approx(1.5, rel=0.1)
    assert autolog.apart
    assert autolog.change.startswith("+")
    assert not trends["article_writer-off-c1", "latency_p50_ms"].apart
    assert len(trends["article_writer-autolog-sqlite-c1", "cpu_ms_per_invocation"].medians) == 3
    finding = draw_trend(history).finding
    assert finding.startswith("4 campaigns; the newest differs from the one before in article_writer-autolog-file-c1 (")


def test_the_page_has_a_section_per_campaign_with_intervals_and_coverage(reports):
    page = write_history(reports, read_histories(reports)).read_text(encoding="utf-8")
    assert page.count('<section id="campaign-') == 2
    assert page.count("<svg") == 1, "the other campaign has no number yet"
    assert "No campaign has a number yet." in page
    assert "6 of 6" in page
    assert HOSTILE not in page


def test_the_terminal_shows_sparklines_within_its_width(reports):
    for width in (50, 80, 120):
        out = io.StringIO()
        print_history(read_histories(reports, "quick"), Console(file=out, width=width))
        lines = out.getvalue().splitlines()
        assert max(len(line.rstrip()) for line in lines) <= width
        assert "█" in out.getvalue()


def test_an_unknown_name_is_told_with_the_known_ones(reports):
    with pytest.raises(ResultFileError, match=r"no campaign of the name 'quik'.*there are: quick"):
        read_histories(reports, "quik")


@pytest.mark.parametrize(("values", "line"), [([1, 2, 3], "▁▅█"), ([5], "▄"), ([2, 2], "▄▄"), ([3, 1, 3, 1.1], "█▁█▁")])
def test_sparklines(values, line):
    assert sparkline(values) == line


def test_records_are_json_with_null_for_what_is_not_known(reports):
    trends = json.loads(json.dumps(history_records(read_histories(reports, "quick")), allow_nan=False))
    assert len(trends["histories"][0]["trends"]) == 6
    assert trends["histories"][0]["trends"][0]["points"][0]["low"] > 0
