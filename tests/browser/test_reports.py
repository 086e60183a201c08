"""Reports as people meet them: opened from disk in a real browser, wide, narrow, dark and on paper.

Screenshots go to the folder that TRACEGAUGE_SCREENSHOTS names, if it names one, so that CI can keep them.
"""

import os
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tracegauge.reporting import read_histories, render_judge_comparison, write_history, write_index, write_report
from tracegauge.results import CampaignVerdict, Verdict
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    ENVIRONMENT_FILE,
    SAMPLES_FILE,
    VERDICT_FILE,
    append_samples,
    write_record,
)
from tracegauge.results.judges_report import JUDGES_FILE

UNIT = Path(__file__).resolve().parents[1] / "unit" / "reporting"
JUDGES = Path(__file__).resolve().parents[1] / "data" / JUDGES_FILE
PAGES = ["report", "large", "judges", "compared", "history", "index"]
VIEWS = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


def load(name):
    """A module of the unit tests, whose made-up results are as good here."""
    spec = spec_from_file_location(f"unit_{name}", UNIT / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def save(folder, results, verdict=None):
    folder.mkdir(parents=True)
    write_record(folder / CAMPAIGN_FILE, results.record)
    append_samples(folder / SAMPLES_FILE, results.samples)
    write_record(folder / ENVIRONMENT_FILE, results.environment)
    if verdict:
        write_record(folder / VERDICT_FILE, verdict)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """By name: a report with every kind of content, one of 42 cells, one with judges, and the other pages."""
    factory = load("conftest")
    reports = tmp_path_factory.mktemp("reports")
    save(reports / "quick-1", *factory.make_scorecard())
    few = factory.make_cells()[:2]
    judged = factory.make_results(few, [factory.make_sample(cell, 0) for cell in few], blocks=1, name="judged")
    save(reports / "judged-1", judged, CampaignVerdict(campaign="judged", verdict=Verdict.INCONCLUSIVE, criteria=()))
    shutil.copyfile(JUDGES, reports / "judged-1" / JUDGES_FILE)
    cells = factory.make_cells(["article_writer", "a_workflow_with_a_name_that_says_it_all"], concurrency=(1, 8, 32))
    samples = [
        factory.make_sample(cell, block, invocations=5, lost=2 if cell.concurrency == 32 and cell.backend else 0)
        for block in range(6)
        for cell in cells
    ]
    _, verdict = factory.make_quick()
    save(reports / "large-1", factory.make_results(cells, samples, name="large"), verdict)
    written = {"report": write_report(reports / "quick-1"), "large": write_report(reports / "large-1")}
    written["judges"] = write_report(reports / "judged-1")
    made = load("test_judge_comparison_page")
    whole = made.measure("length", Verdict.INCONCLUSIVE, **made.WHOLE)
    written["compared"] = reports / "compared.html"
    comparison = made.compared(made.measure("helpful", Verdict.REGRESSED), whole, mock=True)
    written["compared"].write_text(render_judge_comparison(comparison), encoding="utf-8")
    written["history"] = write_history(reports, read_histories(reports))
    written["index"] = write_index(reports)
    return {name: path.as_uri() for name, path in written.items()}


@pytest.fixture
def visit(browser, pages):
    """Open a page in a view; gives the page and what it said, asked for, or broke."""
    contexts = []

    def open_page(name, view="wide", **options):
        context = browser.new_context(**VIEWS[view], **options)
        contexts.append(context)
        page, heard = context.new_page(), []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: request.url == pages[name] or heard.append(request.url))
        page.goto(pages[name])
        return page, [one for one in heard if not one.startswith("data:")]

    yield open_page
    for context in contexts:
        context.close()


def keep_screenshot(page, name):
    folder = os.environ.get("TRACEGAUGE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_or_a_request_and_never_scrolls_sideways(visit, name, view):
    page, heard = visit(name, view)
    assert heard == []
    assert page.title().endswith("– tracegauge")
    width = VIEWS[view]["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_screenshot(page, f"{name}-{view}")


@pytest.mark.parametrize("view", ["narrow", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_accessibility_fault(visit, name, view):
    page, _ = visit(name, view, bypass_csp=True)  # axe is a script of its own
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)


def column(page, table, number):
    cells = page.locator(f"{table} tbody tr:not(.group):visible td:nth-child({number})")
    return [float(cell.get_attribute("data-sort") or "nan") for cell in cells.all()]


def test_a_click_on_a_heading_sorts_within_each_workflow_and_a_second_click_turns_it_round(visit):
    page, _ = visit("report")
    heading = page.get_by_role("button", name="caller latency, median")
    before = column(page, "#costs", 4)
    assert before != sorted(before)
    heading.click()
    assert column(page, "#costs", 4) == sorted(before)
    assert heading.locator("..").get_attribute("aria-sort") == "ascending"
    heading.press("Enter")
    assert column(page, "#costs", 4) == sorted(before, reverse=True)
    assert heading.locator("..").get_attribute("aria-sort") == "descending"


def test_on_a_telephone_numbers_have_room_beside_the_names_of_cells(visit):
    page, _ = visit("report", "narrow")
    names = page.locator("#costs tbody th[scope=row]")
    assert max(name.bounding_box()["width"] for name in names.all()) <= 0.4 * 390


def test_what_has_no_number_is_sorted_last_both_ways(visit):
    page, _ = visit("report")
    heading = page.get_by_role("button", name="added CPU per invocation")
    for _ in range(2):
        heading.click()
        last = page.locator("#costs tbody tr").last
        assert last.locator("th").inner_text() == "off"


def test_filters_leave_the_rows_that_fit_them_all_and_can_be_taken_back(visit):
    page, _ = visit("large")
    rows = page.locator("#costs tbody tr:not(.group):visible")
    assert rows.count() == 42
    page.locator("select[name=workflow]").select_option("article_writer")
    page.locator("select[name=instrument]").select_option("autolog")
    assert rows.count() == 6
    page.locator("select[name=backend]").select_option("sqlite")
    assert rows.count() == 3
    assert page.locator("#costs tr.group:visible").count() == 1
    assert page.locator("form.filter output").inner_text() == "3 of 42 rows"
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.querySelector('form.filter output').value === '42 of 42 rows'")
    assert rows.count() == 42


def test_the_index_sorts_and_leads_to_the_report(visit):
    page, _ = visit("index")
    page.get_by_role("link", name="quick").click()
    assert page.get_by_role("heading", level=1).inner_text() == "quick"
    assert page.get_by_role("heading", name="ADR-018 scorecard").is_visible()


def test_what_judges_differ_on_opens_with_the_keyboard_and_leads_to_the_trace(visit):
    page, _ = visit("judges")
    summary = page.get_by_text("Differs from the label on 8 items")
    first = page.locator("#judges details li a").first
    assert not first.is_visible()
    summary.press("Enter")
    assert first.is_visible()
    assert "/#/experiments/1/traces?selectedEvaluationId=tr-" in first.get_attribute("href")


def test_without_scripts_everything_is_there_to_read(visit):
    page, _ = visit("report", java_script_enabled=False)
    assert page.locator("#costs tbody tr:not(.group)").count() == 7
    assert not page.locator("form.filter").is_visible()
    assert "REGRESSED" in page.locator("#verdict").inner_text()


def test_a_report_prints_on_pages(visit, tmp_path):
    page, _ = visit("report")
    printed = page.pdf(format="A4", path=tmp_path / "report.pdf")
    assert printed.startswith(b"%PDF")
    folder = os.environ.get("TRACEGAUGE_SCREENSHOTS")
    if folder:
        (Path(folder) / "report.pdf").write_bytes(printed)
