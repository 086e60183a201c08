"""`tracegauge report`: a campaign, a figure, the history, JSON, and what is wrong."""

import json
import shutil
from pathlib import Path

import pytest

from tracegauge.cli.report import FigureFormat, report
from tracegauge.config.errors import ConfigError
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    ENVIRONMENT_FILE,
    SAMPLES_FILE,
    ResultFileError,
    append_samples,
    write_record,
)
from tracegauge.results.judges_report import JUDGES_FILE

JUDGES = Path(__file__).resolve().parents[2] / "data" / JUDGES_FILE


@pytest.fixture(scope="module")
def measured(factory, tmp_path_factory):
    """A current directory with one measured campaign below reports/, that is not judged yet."""
    cells = (*factory.make_cells()[:1], *factory.make_cells()[-2:])
    criterion = CriterionRecord(
        id="sqlite-writes", claim="SQLite costs no more.", kind="ratio", metric="cpu_ms_per_invocation",
        candidate=cells[2].id, baseline=cells[1].id, margin=0.05,
    )  # fmt: skip
    samples = [factory.make_sample(cell, block, invocations=8) for block in range(8) for cell in cells]
    results = factory.make_results(cells, samples, blocks=8, criteria=[criterion], name="small")
    folder = tmp_path_factory.mktemp("report")
    campaign = folder / "reports" / "small-20260202-101500"
    campaign.mkdir(parents=True)
    write_record(campaign / CAMPAIGN_FILE, results.record)
    append_samples(campaign / SAMPLES_FILE, samples)
    write_record(campaign / ENVIRONMENT_FILE, results.environment)
    shutil.copyfile(JUDGES, campaign / JUDGES_FILE)
    return folder


@pytest.fixture(autouse=True)
def _there(measured, monkeypatch):
    monkeypatch.chdir(measured)
    monkeypatch.setenv("COLUMNS", "100")


def test_without_a_name_the_newest_campaign_is_judged_reported_and_listed(measured, capsys, monkeypatch):
    assert report() == 1
    assert "report: reports/small-20260202-101500/index.html" in capsys.readouterr().out
    assert "small-20260202-101500/index.html" in (measured / "reports" / "index.html").read_text()
    assert '<section id="judges"' in (measured / "reports" / "small-20260202-101500" / "index.html").read_text()
    monkeypatch.setenv("BROWSER", "true")
    assert report(open_it=True) == 0
    assert capsys.readouterr().out == "opened reports/small-20260202-101500/index.html\n"


def test_json_is_all_that_is_printed(measured, capsys):
    report("reports/small-20260202-101500", as_json=True)
    assert json.loads(capsys.readouterr().out)["verdict"] == "REGRESSED"
    assert report(history=True, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["histories"][0]["campaign"] == "small"
    assert (measured / "reports" / "history.html").is_file()


@pytest.mark.parametrize(("name", "kind", "head"), [("latency", "png", b"\x89PNG"), ("cost_ladder", "svg", b"<?xml")])
def test_one_figure_is_drawn_with_its_finding_in_words(measured, capsys, name, kind, head):
    assert report(name, figure_format=FigureFormat(kind)) == 0
    finding, file = capsys.readouterr().out.splitlines()
    assert finding.endswith(".")
    assert file == f"figure: {name}.{kind}"
    assert (measured / f"{name}.{kind}").read_bytes().startswith(head)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": "cost_lader"}, "did you mean 'cost_ladder'?"),
        ({"target": "load"}, "Loss over load takes cells of more than one concurrency"),
        ({"target": "latency", "out": "latency.pdf"}, "neither PNG nor SVG"),
        ({"target": "latency", "out": "nowhere/latency.png"}, "can't be written: No such file"),
        ({"target": "latency", "of": "nowhere"}, "nowhere: there is no such folder"),
        ({"out": "latency.png"}, "--of and --out are for a figure"),
        ({"target": "quik", "history": True}, "there are: small"),
        ({"reports": "nowhere"}, "there is no report in nowhere"),
    ],
)
def test_mistakes_are_told(arguments, said):
    paths = {name: Path(arguments[name]) for name in ("out", "of", "reports") if name in arguments}
    with pytest.raises((ConfigError, ResultFileError)) as caught:
        report(**arguments | paths)
    assert said in str(caught.value)
