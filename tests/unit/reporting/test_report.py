"""The report of a folder, as a reader and as a machine see it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from tracegauge.reporting import FIGURES, ReportData, read_report_data, write_report
from tracegauge.reporting.html import render_html
from tracegauge.reporting.words import control_words, scope_sentence, verdict_sentence
from tracegauge.results import CampaignVerdict, Failure, Verdict
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    ENVIRONMENT_FILE,
    SAMPLES_FILE,
    VERDICT_FILE,
    CampaignResults,
    ResultFileError,
    append_samples,
    write_record,
)

HOSTILE = "<script>alert('x')</script>\"onload=\"x</td>&amp;</svg>"


def save(folder, results, verdict):
    write_record(folder / CAMPAIGN_FILE, results.record)
    append_samples(folder / SAMPLES_FILE, results.samples)
    if results.environment:
        write_record(folder / ENVIRONMENT_FILE, results.environment)
    write_record(folder / VERDICT_FILE, verdict)
    return folder


class Page(HTMLParser):
    """Text, tags and attributes of a page; complains about tags that don't match."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.attributes = [], [], "", []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def folder(factory, tmp_path_factory):
    folder = save(tmp_path_factory.mktemp("quick"), *factory.make_quick())
    assert write_report(folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text()


def test_page_and_pictures_are_written_and_nothing_temporary_is_left(folder):
    assert {path.name for path in folder.iterdir()} == {
        CAMPAIGN_FILE, ENVIRONMENT_FILE, SAMPLES_FILE, VERDICT_FILE, "index.html", "figures",
    }  # fmt: skip
    pictures = {path.name: path.read_bytes()[:8] for path in (folder / "figures").iterdir()}
    assert set(pictures) == {f"{name}.png" for name in FIGURES if name not in ("load", "judge_calibration")}
    assert set(pictures.values()) == {b"\x89PNG\r\n\x1a\n"}


def test_the_verdict_comes_first_then_cost_how_sure_failures_environment(html):
    order = ["verdict", "evidence", "cost", "sure", "failures", "environment"]
    places = [html.index(f'<section id="{section}"') for section in order]
    assert places == sorted(places)
    page = Page(html)
    assert (
        "Of 4 criteria, 2 regressed (sqlite-writes, no-loss), 1 can't be told yet (manual-latency), 1 passed."
        in page.text
    )


def test_a_long_list_of_criteria_is_cut_short_in_the_sentence(factory):
    _, verdict = factory.make_quick()
    first = next(one for one in verdict.criteria if one.verdict == "INCONCLUSIVE")
    many = tuple(first.model_copy(update={"id": f"c{number}"}) for number in range(5))
    sentence = verdict_sentence(verdict.model_copy(update={"criteria": many}))
    assert sentence == "Of 5 criteria, 5 can't be told yet (c0, c1, c2 and 2 more)."


def test_a_campaign_that_is_half_measured_says_how_much_of_it(factory):
    results, verdict = factory.make_quick()
    half = CampaignResults(results.record, results.samples[:17], results.environment)  # seven cells in a block
    assert scope_sentence(ReportData(half, verdict)).startswith("7 cells in 3 of 6 blocks, each with 30 invocations")
    assert scope_sentence(ReportData(results, verdict)).startswith("7 cells in 6 blocks, each with")


def test_lost_traces_are_told_loudly_beside_the_verdict(html):
    alert = re.search(r'<p class="alert" role="alert">(.*?)</p>', html)[1]
    assert alert == "Traces were lost: 10 of 1,050, in 1 of 7 cells (article_writer-autolog-sqlite-c1 5.6%)."


def test_numbers_are_shown_with_interval_and_coverage(html):
    text = " ".join(Page(html).text.split())
    assert re.search(r"off 6 of 6 – 1\.\d\d ms \[1\.\d\d ms, 1\.\d\d ms\]", text)
    assert "1 of 6 blocks failed: crashed" in text
    assert "10 of 180" in text
    assert "3.09 [3.01, 3.17]" in text
    assert "7 traces in a block" in text


def test_every_kind_of_criterion_is_shown_on_its_own_scale_with_how_sure_it_is(factory):
    html = render_html(ReportData(*factory.make_scorecard()), [])
    text = " ".join(Page(html).text.split())
    assert "ADR-018 scorecard" in text
    for words in (
        "≤ ×1.05 or +1.00 ms",  # a relative margin or an absolute one
        "-300 µs [-900 µs, 400 µs] ≤ +1.00 ms",  # a difference
        "2.21 s [2.10 s, 2.40 s] ≤ 3.00 s",  # a limit
        "×1.04 [0.980, 1.09] ≤ ×1.05 or +1.00 ms 0.310 ×1.12 6 of 6 22",  # what it would take to decide
        "×3.09 [3.01, 3.17] ≤ ×1.05 < 0.001 ×1.08 6 of 6 –",
        "ADR-018, phase 1",
        "A slowdown of 10% is found. injected The ratio is 1.11. found, as it must be ×1.11 [1.08, 1.14]",
    ):
        assert words in text, words


def test_the_verdict_names_the_worst_first_and_the_scorecard_keeps_the_order_of_the_claims(html):
    claims = ("Writing a trace", "loses no trace", "Callers of manual spans", "Searching 1,000 traces")
    verdict, scorecard = (html[html.index(f'<section id="{name}"') :] for name in ("verdict", "evidence"))
    found = [[part.index(claim) for claim in claims] for part in (verdict, scorecard)]
    assert found[0] == sorted(found[0])
    assert found[1] != sorted(found[1])


@pytest.mark.parametrize(
    ("role", "verdict", "outcome"),
    [
        ("control_aa", Verdict.REGRESSED, "a difference where there is none"),
        ("control_aa", Verdict.INCONCLUSIVE, "can't be told yet"),
        ("control_injected", Verdict.PASS, "not found"),
    ],
)
def test_a_control_says_whether_it_came_out_as_it_must(factory, role, verdict, outcome):
    control = factory.make_criterion("control", verdict, estimate=1.1, interval=(1.0, 1.2), role=role)
    assert control_words(control).verdict == outcome


def test_numbers_that_cannot_be_trusted_say_so_before_anything_else(factory):
    results, verdict = factory.make_scorecard()
    doubted = verdict.model_copy(update={"trusted": False, "reasons": ("The A/A pair differs by 7%.",)})
    text = " ".join(Page(render_html(ReportData(results, doubted), [])).text.split())
    assert "These numbers can't be trusted: The A/A pair differs by 7%." in text


def test_many_warnings_of_single_numbers_are_folded_up_and_no_other(factory):
    results, verdict = factory.make_quick()
    unstable = tuple(f"unstable: number {n} varies" for n in range(4))
    several = verdict.model_copy(update={"warnings": ("the machine was busy", *unstable)})
    html = render_html(ReportData(results, several), [])
    folded = html[html.index('<details class="warnings">') : html.index("</details>")]
    assert "4 numbers vary much" in folded
    assert all(f"<li>{warning}.</li>" in folded for warning in unstable)
    assert "<li>the machine was busy.</li>" not in folded
    assert "5 warnings</a>" in html
    few = verdict.model_copy(update={"warnings": unstable[:3]})
    assert '<details class="warnings">' not in render_html(ReportData(results, few), [])


def test_failures_are_shown_with_their_traceback(html):
    failures = html[html.index('<section id="failures"') :]
    assert "OSError: No space left on device" in failures
    assert "Traceback …" in failures
    assert "<td>block 1</td>" in failures
    assert "<td>blocks 2 and 4</td>" in failures


def test_the_way_to_do_it_again_and_the_raw_data_are_named(html):
    assert "<code>tracegauge bench bench/quick.yaml</code>" in html
    assert 'href="samples.jsonl"' in html
    assert 'href="verdict.json"' in html
    text = Page(html).text
    for fact in ("AMD EPYC 7B13, 2 logical cores", "mlflow 3.17.2", "Linux 6.1.0-18-amd64", "sqlite 2.41 s"):
        assert fact in text


def test_nothing_is_fetched_and_only_the_script_of_the_page_may_run(html):
    page = Page(html)
    assert not {"img", "iframe", "object"} & set(page.tags)
    assert page.tags.count("script") == 1
    links = [value for tag, name, value in page.attributes if name in ("href", "src", "xlink:href")]
    assert all(link.startswith(("#", "figures/", "samples.jsonl", "verdict.json", "data:,")) for link in links)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "@import" not in html
    assert "default-src 'none'" in html
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\s\"'<]+", html)) <= namespaces


def test_structure_serves_screen_readers(html):
    page = Page(html)
    assert {"header", "nav", "main", "footer", "h1"} <= set(page.tags)
    assert page.tags.count("h1") == 1
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("th") == len([1 for tag, name, _ in page.attributes if (tag, name) == ("th", "scope")])
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("div", "aria-label")]
    assert any("At 3,000 traces in the store, a search takes" in label for label in labels)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_same_data_give_the_same_bytes(folder):
    files = [folder / "index.html", *(folder / "figures").iterdir()]
    before = {path: path.read_bytes() for path in files}
    write_report(folder)
    assert {path: path.read_bytes() for path in files} == before


def test_hostile_names_are_escaped_everywhere(factory, tmp_path):
    cells = factory.make_cells([HOSTILE])
    trouble = [Failure(kind="crashed", message=HOSTILE, detail=HOSTILE)]
    samples = [factory.make_sample(cell, 0, failures=trouble) for cell in cells]
    criterion = factory.make_criterion(
        HOSTILE, Verdict.PASS, estimate=1.0, interval=(0.9, 1.1), claim=HOSTILE, candidate=HOSTILE, baseline=HOSTILE,
        reason=HOSTILE,
    )  # fmt: skip
    verdict = CampaignVerdict(campaign="c", verdict=Verdict.PASS, criteria=(criterion,), warnings=(HOSTILE,))
    environment = factory.make_environment(host=HOSTILE, cpu_model=HOSTILE, packages={HOSTILE: HOSTILE})
    write_report(save(tmp_path, factory.make_results(cells, samples, environment=environment), verdict))
    html = (tmp_path / "index.html").read_text()
    page = Page(html)
    assert page.tags.count("script") == 1
    assert not [name for _, name, _ in page.attributes if name == "onload"]
    assert page.text.count(HOSTILE) > 10


@pytest.mark.parametrize("blocks", [0, 1])
def test_campaigns_without_criteria_environment_or_samples_are_readable(factory, tmp_path, blocks):
    cells = factory.make_cells()
    results = factory.make_results(cells, [factory.make_sample(c, b) for b in range(blocks) for c in cells])
    results = type(results)(results.record, results.samples, environment=None)
    verdict = CampaignVerdict(campaign="c", verdict=Verdict.INCONCLUSIVE, criteria=())
    write_report(save(tmp_path, results, verdict))
    text = Page((tmp_path / "index.html").read_text()).text
    assert "it has no criteria" in text
    assert "The machine that this was measured on is not recorded." in text
    assert "not drawn" in text


def test_pictures_of_an_earlier_report_that_there_is_nothing_for_are_removed(factory, tmp_path):
    save(
        tmp_path,
        factory.make_results(factory.make_cells(), []),
        CampaignVerdict(campaign="c", verdict=Verdict.PASS, criteria=()),
    )
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "latency.png").write_bytes(b"old")
    write_report(tmp_path)
    assert list((tmp_path / "figures").iterdir()) == []


def test_a_campaign_that_is_not_judged_is_a_clear_error_and_nothing_is_written(factory, tmp_path):
    results, _ = factory.make_quick()
    write_record(tmp_path / CAMPAIGN_FILE, results.record)
    with pytest.raises(ResultFileError, match=VERDICT_FILE):
        write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CAMPAIGN_FILE]


def test_an_older_schema_is_a_clear_error(factory, tmp_path):
    save(tmp_path, *factory.make_quick())
    verdict = json.loads((tmp_path / VERDICT_FILE).read_text())
    (tmp_path / VERDICT_FILE).write_text(json.dumps({**verdict, "schema_version": 0}))
    with pytest.raises(ResultFileError, match="schema_version"):
        read_report_data(tmp_path)


@pytest.mark.slow
def test_a_hundred_cells_of_thirty_blocks_stay_under_three_megabytes(factory, tmp_path):
    cells = factory.make_cells([f"workflow_{n}" for n in range(15)])[:100]
    samples = [factory.make_sample(cell, block, invocations=20) for block in range(30) for cell in cells]
    verdict = CampaignVerdict(campaign="c", verdict=Verdict.INCONCLUSIVE, criteria=())
    page = write_report(save(tmp_path, factory.make_results(cells, samples, blocks=30), verdict))
    assert page.stat().st_size < 3_000_000
