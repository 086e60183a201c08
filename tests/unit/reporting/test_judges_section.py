"""The judges section of a report: what is scored, what failed, how far each judge agrees, and what a mock said."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracegauge.reporting import ReportData, write_report
from tracegauge.reporting.html import render_html
from tracegauge.reporting.judge_days import MOST_DAYS, judge_days
from tracegauge.results.calibration import MOCK_NOTE, SYNTHETIC_NOTE
from tracegauge.results.files import CAMPAIGN_FILE, VERDICT_FILE, ResultFileError, write_record
from tracegauge.results.judge_status import TrendPoint
from tracegauge.results.judges_report import JUDGES_FILE, JudgesReport, read_judges

JUDGES = Path(__file__).resolve().parents[2] / "data" / "judges.json"
HOSTILE = "<script>alert('x')</script>\"onload=\"x</td>&amp;</svg>"


@pytest.fixture(scope="module")
def report():
    """Six judges of a server: with failures, a mock's, one that nothing says anything of, three with evidence."""
    return JudgesReport.model_validate_json(JUDGES.read_text())


@pytest.fixture(scope="module")
def page_of(factory):
    """The page of a campaign with this report of judges."""
    results, verdict = factory.make_quick()
    return lambda judges: render_html(ReportData(results, verdict, judges), [])


@pytest.fixture(scope="module")
def page(page_of, report):
    return page_of(report)


def section(page):
    return page[page.index('<section id="judges"') : page.index('<section id="failures"')]


def words(page):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section(page))).split())


def test_it_stands_between_how_sure_and_failures_and_is_in_the_navigation(page):
    places = [page.index(f'<section id="{name}"') for name in ("sure", "judges", "failures")]
    assert places == sorted(places)
    assert '<a href="#judges">Judges</a>' in page
    assert f'href="{JUDGES_FILE}"' in page
    assert section(page).count("<th ") == section(page).count(" scope=")


def test_it_is_left_out_where_nothing_is_said_of_judges(page_of):
    page = page_of(None)
    assert 'id="judges"' not in page
    assert "#judges" not in page
    assert JUDGES_FILE not in page


@pytest.mark.parametrize(
    "said",
    [
        "6 judges of experiment support in http://127.0.0.1:5000, as of 2026-11-24 18:30 UTC.",
        "72 of 5,000 judgements failed (groundedness 22, helpfulness 50): they are in no rate and in no mean below.",
        # groundedness: what is scored, what became of the others, the rate raw, corrected, and at worst and at best
        "1,170 of 1,200 traces 22 failed, 8 skipped by budget, 1,200 sampled out, not due",
        "19 rate limited: 429 Too Many Requests: slow down (tried again from 2026-11-24 18:35 UTC)",
        "73.6% [71.0%, 76.0%] of 1,170 scored corrected 75.0% [68.8%, 82.0%] all due: between 71.8% and 74.2%",
        "p50 1.84 s, p95 4.21 s 1,214 calls, 1,480,322 + 61,204 tokens 13 from cache 0.4925 USD",
        # helpfulness: a mean says how many it covers
        "mean 3.76 [3.69, 3.82] of 1,150 scored, 1,200 due; between 1 and 5",
        # the others
        "not corrected: the judge is calibrated with synthetic labels or a mock only, not by people",
        "its file does not say which are good friendly 701, neutral 422, curt 77 not calibrated",
        "0 of 140 conversations 140 waiting – nothing yet not calibrated no calls",
        # calibrations
        "kappa 0.85 [0.71, 0.93], n = 116, human labels",
        "kappa -0.09 [-0.33, 0.16], n = 58, synthetic labels",
        "Kappa that the judge's file asks for 0.6: NOT met",
        "Cohen's kappa, quadratic weights 0.90 [0.86, 0.94], n = 80",
        "Good ones called good (TPR) 94.7% [87.2%, 97.9%], 72 of 76",
        "Others not called good (TNR) 90.0% [77.0%, 96.0%], 36 of 40",
        "3 people among themselves: alpha 0.75 [0.65, 0.84], n = 120",
        "Labels (rows) against verdicts (columns) label false true false 36 4 true 4 72",
        "4 of 120 labelled items have no verdict, and count for nothing",
        # judge cards
        "Against itself: 40 contents of http://127.0.0.1:5000, each judged 5 times",
        "Repeats do not all agree 10.0% [4.0%, 23.1%], 4 of 40",
        "Verdict changed by padding 12.5% [5.5%, 26.1%], 5 of 40; mean shift +0.075 [+0.000, +0.175]",
        "Verdict changed by swapped not tried: the judge sees one answer",
        "Price of 1,000 judgements 0.4061 USD",
    ],
)
def test_what_is_said(page, said):
    assert said in words(page)


def test_a_mock_and_synthetic_labels_are_told_wherever_their_numbers_stand(page):
    said = section(page)
    assert said.count(MOCK_NOTE) == 3  # the row, the calibration, the card
    assert said.count(SYNTHETIC_NOTE) == 1
    assert [row.count(MOCK_NOTE) for row in re.findall(r'<tr role="row".*?</tr>', said, re.DOTALL)[1:]] == [
        0,
        1,
        0,
        0,
        0,
        0,
    ]


def test_disagreements_lead_to_their_traces_and_long_lists_to_the_raw_data(page):
    links = re.findall(r'href="(http[^"]+)"', section(page))
    assert len(links) == 8 + 20
    assert all(
        re.fullmatch(r"http://127\.0\.0\.1:5000/#/experiments/1/traces\?selectedEvaluationId=tr-[0-9a-f]{32}", link)
        for link in links
    )
    assert "relevance-" in section(page)  # items of a file are named, without a link
    assert "6 more in judges.json" in words(page)


@pytest.mark.parametrize(
    "changed",
    [
        {"store": "sqlite:////somewhere/traces.db"},
        {"store": "javascript://127.0.0.1:5000/%0aalert(1)"},
        {"store": "http://another:5000"},
        {"experiment_ids": ()},
        {"experiment_ids": ("1", "2")},
    ],
)
def test_without_a_server_and_one_experiment_there_is_no_link(page_of, report, changed):
    verdicts = tuple(
        one.model_copy(update={"verdicts_from": one.verdicts_from.replace(report.store, changed["store"])})
        if "store" in changed and "another" not in changed["store"]
        else one
        for one in report.calibrations
    )
    said = section(page_of(report.model_copy(update={**changed, "calibrations": verdicts})))
    assert set(re.findall(r'href="([^"]+)"', said)) == {JUDGES_FILE}


def test_a_link_carries_no_user(page_of, report):
    store = "https://user:…@mlflow.example/base/"
    verdicts = tuple(
        one.model_copy(update={"verdicts_from": one.verdicts_from.replace(report.store, store)})
        for one in report.calibrations
    )
    said = section(page_of(report.model_copy(update={"store": store, "calibrations": verdicts})))
    links = re.findall(r'href="(http[^"]+)"', said)
    assert all(link.startswith("https://mlflow.example/base/#/experiments/1/traces?") for link in links)
    assert len(links) == 28


def test_a_databases_folder_is_not_told(page_of, report):
    said = page_of(report.model_copy(update={"store": "sqlite:////somewhere/traces.db"}))
    assert "in traces.db, as of" in said
    assert "/somewhere/" not in said


def test_hostile_texts_are_escaped(page_of, report):
    kept = {
        "kind",
        "scope",
        "value_type",
        "trend_step",
        "label_source",
        "scale",
        "kappa_weights",
        "name",
        "answered_by",
    }

    def poison(value, key=""):
        if isinstance(value, dict):
            return {name: poison(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [poison(inner, key) for inner in value]
        return HOSTILE if isinstance(value, str) and key not in kept and not value[:3].isdigit() else value

    poisoned = JudgesReport.model_validate(poison(json.loads(report.model_dump_json())))
    page = page_of(poisoned)
    assert page.count("<script") == 1
    assert HOSTILE not in page
    assert words(page).count("alert('x')") > 50


def test_no_judges_at_all_are_readable(page_of, report):
    said = words(page_of(report.model_copy(update={"judges": (), "calibrations": (), "cards": ()})))
    assert "0 judges of experiment support" in said


def test_a_damaged_file_is_a_clear_error(factory, tmp_path):
    results, verdict = factory.make_quick()
    write_record(tmp_path / CAMPAIGN_FILE, results.record)
    write_record(tmp_path / VERDICT_FILE, verdict)
    (tmp_path / JUDGES_FILE).write_text("{}")
    with pytest.raises(ResultFileError, match=r"judges\.json: this is not a JudgesReport"):
        write_report(tmp_path)
    (tmp_path / JUDGES_FILE).unlink()
    assert read_judges(tmp_path) is None


def over_time(judge, *points, step="hour"):
    """A judge with points of (hours after 2026-11-22 22:00, due, scored, failed, passed, mean)."""
    first, names = datetime(2026, 11, 22, 22, tzinfo=UTC), ("due", "scored", "failed", "passed", "mean")
    trend = [TrendPoint(start=first + timedelta(hours=at), **dict(zip(names, of, strict=True))) for at, *of in points]
    return judge.model_copy(update={"trend": tuple(trend), "trend_step": step})


def test_days_say_how_many_were_scored_and_what_they_said(page_of, report):
    passing, other, numbers, tone, *_ = report.judges
    judges = (
        # 22 November: 20 of 32 that were scored, in two hours; the day after: 6 of 6
        over_time(passing, (0, 20, 18, 2, 12, None), (1, 14, 14, 0, 8, None), (2, 6, 6, 0, 6, None)),
        over_time(other, (26, 5, 0, 0, 0, None)),
        # (2 · 4 + 1 · 1) / 3
        over_time(numbers, (3, 2, 2, 0, None, 4.0), (4, 3, 1, 2, None, 1.0), (5, 1, 0, 0, None, None)),
        over_time(tone, (2, 7, 7, 0, None, None)),
    )
    days = judge_days(judges)
    assert [(day, [(cell.said, cell.scored) for cell in cells]) for day, cells in days.rows] == [
        ("2026-11-24", [("", ""), ("", "0 of 5 scored"), ("", ""), ("", "")]),
        (
            "2026-11-23",
            [
                ("100.0% [61.0%, 100.0%]", "6 of 6 scored"),
                ("", ""),
                ("mean 3.00", "3 of 6 scored, 2 failed"),
                ("", "7 of 7 scored"),
            ],
        ),
        ("2026-11-22", [("62.5% [45.3%, 77.1%]", "32 of 34 scored, 2 failed"), ("", ""), ("", ""), ("", "")]),
    ]
    text = words(page_of(report.model_copy(update={"judges": judges})))
    assert "Day by day" in text
    assert "2026-11-22 62.5% [45.3%, 77.1%] 32 of 34 scored, 2 failed" in text


def test_only_the_latest_days_are_shown_and_a_judge_of_nothing_has_none(page_of, report):
    long = over_time(report.judges[0], *((24 * day, 1, 1, 0, 1, None) for day in range(MOST_DAYS + 3)), step="day")
    days = judge_days([long])
    assert (len(days.rows), days.left_out, days.rows[0][0]) == (MOST_DAYS, 3, "2026-12-08")
    assert "3 earlier days are in judges.json" in words(page_of(report.model_copy(update={"judges": (long,)})))
    assert judge_days([report.judges[0].model_copy(update={"trend": ()})]) is None
