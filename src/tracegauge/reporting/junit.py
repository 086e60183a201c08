"""Verdicts as JUnit XML, which CI systems show as tests: a criterion is a test case.

REGRESSED is a failure. INCONCLUSIVE is a skipped test: it was neither passed nor failed; the exit code tells it from a
pass. A control that came out wrong, or a comparison that is refused, is an error: the other cases can't be trusted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from tracegauge.reporting.comparison import comparison_sentence
from tracegauge.results import CampaignVerdict, Verdict
from tracegauge.results.comparison import Comparison

Outcome = Literal["passed", "failure", "skipped", "error"]
_OF_VERDICT: dict[Verdict, Outcome] = {
    Verdict.PASS: "passed",
    Verdict.REGRESSED: "failure",
    Verdict.INCONCLUSIVE: "skipped",
}
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True)
class _Case:
    group: str
    name: str
    outcome: Outcome
    message: str


def render_verdict_junit(verdict: CampaignVerdict) -> str:
    """One test case per criterion and control of a campaign."""
    return _render(verdict.campaign, list(_verdict_cases(verdict)))


def render_comparison_junit(comparison: Comparison) -> str:
    """One test case per compared number, and one for each id that is missing in the candidate."""
    return _render("tracegauge compare", list(_comparison_cases(comparison)))


def _verdict_cases(verdict: CampaignVerdict) -> Iterator[_Case]:
    for one in verdict.criteria:
        yield _Case(verdict.campaign, one.id, _OF_VERDICT[one.verdict], f"{one.claim} {one.reason}")
    if not verdict.trusted:
        yield _Case(verdict.campaign, "controls", "error", " ".join(verdict.reasons))
    elif verdict.controls:
        yield _Case(verdict.campaign, "controls", "passed", "")


def _comparison_cases(comparison: Comparison) -> Iterator[_Case]:
    if comparison.refused:
        yield _Case("comparison", "machines", "error", comparison_sentence(comparison))
    for row in comparison.rows:
        yield _Case(row.id, row.metric, _OF_VERDICT[row.verdict], row.reason)
    for one in comparison.missing:
        yield _Case(one, "missing", "skipped", "the candidate has no such id, so that nothing can be said of it")


def _render(suite: str, cases: Sequence[_Case]) -> str:
    outcomes = [case.outcome for case in cases]
    counts = {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }
    root = ElementTree.Element("testsuites", {"name": "tracegauge", **counts})
    of_suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(suite), **counts})
    for case in cases:
        attributes = {"classname": _clean(case.group), "name": _clean(case.name)}
        element = ElementTree.SubElement(of_suite, "testcase", attributes)
        if case.outcome != "passed":
            ElementTree.SubElement(element, case.outcome, {"message": _clean(case.message)}).text = _clean(case.message)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
