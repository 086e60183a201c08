"""What CI reads: JUnit XML, Markdown and JSON of verdicts and comparisons."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tracegauge.reporting import render_comparison, render_comparison_junit, render_markdown, render_verdict_junit
from tracegauge.reporting.result_schemas import RESULTS, result_schema
from tracegauge.results import CampaignVerdict, Verdict
from tracegauge.results.against import Against, PackageDifference
from tracegauge.results.comparison import ComparedMetric, Comparison, RunRef, Spread

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schema"


def compared(name, verdict, **values):
    given = {"id": name, "base_id": name, "metric": "latency_p50_ms", "unit": "ms", "base_n": 6, "candidate_n": 6}
    return ComparedMetric(**{**given, "values": "blocks", "verdict": verdict, "reason": "Because.", **values})


@pytest.fixture
def comparison():
    rows = (
        compared("same", Verdict.PASS, base_median=10, candidate_median=10.1, estimate=1.01, interval=(0.93, 1.09)),
        compared("slow", Verdict.REGRESSED, base_median=10, candidate_median=20, estimate=2, interval=(1.8, 2.2)),
        compared("a|b\n\x00<i>", Verdict.INCONCLUSIVE, base_id="old"),
    )
    return Comparison(
        base=RunRef(path="a", kind="campaign", commit="a" * 40),
        candidate=RunRef(path="b", kind="campaign"),
        margin=0.15,
        spread=Spread(session_sd=0.04, source="default", explanation="assumed"),
        rows=rows,
        missing=("gone",),
        new=("fresh",),
        warnings=("two separate runs",),
        verdict=Verdict.REGRESSED,
    )


def cases(xml):
    root = ElementTree.fromstring(xml)
    found = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    suite = root.find("testsuite")
    assert suite is not None
    return found, {key: int(suite.get(key, "")) for key in ("tests", "failures", "errors", "skipped")}


def test_criteria_as_junit(factory):
    _, verdict = factory.make_quick()
    found, counts = cases(render_verdict_junit(verdict))
    expected = {Verdict.PASS: [], Verdict.REGRESSED: ["failure"], Verdict.INCONCLUSIVE: ["skipped"]}
    assert {name: tags for name, tags in found.items() if name != "controls"} == {
        one.id: expected[one.verdict] for one in verdict.criteria
    }
    assert counts["failures"] == sum(one.verdict is Verdict.REGRESSED for one in verdict.criteria) > 0


def test_a_campaign_that_is_not_trusted_is_an_error():
    verdict = CampaignVerdict(
        campaign="c", verdict=Verdict.INCONCLUSIVE, trusted=False, reasons=("A/A regressed.",), criteria=()
    )
    found, counts = cases(render_verdict_junit(verdict))
    assert found == {"controls": ["error"]}
    assert counts == {"tests": 1, "failures": 0, "errors": 1, "skipped": 0}


def test_a_comparison_as_junit(comparison):
    xml = render_comparison_junit(comparison)
    root = ElementTree.fromstring(xml)  # also with characters that XML can't hold
    outcomes = [(case.get("classname"), [child.tag for child in case]) for case in root.iter("testcase")]
    assert outcomes == [
        ("same", []),
        ("slow", ["failure"]),
        ("a|b\n\N{REPLACEMENT CHARACTER}<i>", ["skipped"]),
        ("gone", ["skipped"]),
    ]
    refused = comparison.model_copy(update={"refused": True})
    assert cases(render_comparison_junit(refused))[1]["errors"] == 1


def test_a_comparison_as_markdown(comparison):
    text = render_comparison(comparison)
    lines = text.splitlines()
    assert lines[0] == "## REGRESSED: comparison of two runs"
    assert "1 regressed, 1 can't be told, 1 passed; allowed is +15%" in text
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 3
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
    assert "| slow | caller latency, median | 10.0 ms (6 blocks) | 20.0 ms (6 blocks) | ×2.00" in rows[3]
    assert "(was old)" in rows[4]
    assert "- **missing in the candidate: gone**" in lines
    assert "- **new in the candidate: fresh**" in lines


def test_markdown_lists_every_package_that_differs(factory):
    _, verdict = factory.make_quick()
    packages = (
        PackageDifference(name="mlflow", new="3.17.2", old="3.9.0"),
        PackageDifference(name="pytz", new=None, old="2026.6"),
    )
    against = Against(
        reference="mlflow==3.9.0", kind="requirement", environment="mlflow-3.9.0", margin=0.05, packages=packages
    )
    text = render_markdown(verdict, against)
    assert "Measured against mlflow==3.9.0 in the same blocks; 2 packages differ." in text
    assert "- mlflow 3.17.2 here, 3.9.0 there" in text
    assert "- pytz not here, 2026.6 there" in text


@pytest.mark.parametrize("kind", RESULTS)
def test_the_committed_schemas_are_not_stale(kind):
    committed = json.loads((SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))
    assert committed == result_schema(kind), (
        'stale: python -c "from tracegauge.reporting.result_schemas import write_result_schemas; '
        "write_result_schemas('docs/schema')\""
    )
    assert committed["properties"]["schema_version"]["const"] >= 1
