"""The verdict as Markdown, fit for a pull-request comment or the summary of a CI job."""

import re

from tracegauge.reporting.comparison import comparison_sentence, row_words, run_words, unmatched
from tracegauge.reporting.words import against_sentence, criterion_words, difference_words, verdict_sentence
from tracegauge.results import CampaignVerdict
from tracegauge.results.against import Against
from tracegauge.results.comparison import Comparison

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&!])")


def render_markdown(verdict: CampaignVerdict, against: Against | None = None) -> str:
    """Heading, sentence, table of criteria, warnings, what it was measured against; names from outside are escaped."""
    lines = [f"## {verdict.verdict}: {_escape(verdict.campaign)}", "", _escape(verdict_sentence(verdict)), ""]
    if verdict.criteria:
        lines += [
            "| Verdict | Claim | Candidate | Baseline | Found [95% interval] | Allowed | Blocks |",
            "|---|---|---|---|---|---|---|",
        ]
        for criterion in verdict.criteria:
            words = criterion_words(criterion)
            fields = [
                words.verdict,
                f"{words.claim} ({words.id})",
                _cell(words.candidate, words.candidate_median),
                _cell(words.baseline, words.baseline_median),
                words.estimate,
                words.allowed,
                words.coverage,
            ]
            lines.append(f"| {' | '.join(_escape(field) for field in fields)} |")
        lines.append("")
    lines += [f"- {_escape(c.id)}: {_escape(c.reason)}" for c in verdict.criteria if c.verdict != "PASS"]
    lines += [f"- **Warning:** {_escape(warning)}" for warning in (*verdict.reasons, *verdict.warnings)]
    if against:
        lines += ["", _escape(against_sentence(against)), ""]
        lines += [f"- {_escape(difference_words(difference))}" for difference in against.packages]
    return "\n".join(lines).rstrip() + "\n"


def render_comparison(comparison: Comparison) -> str:
    """The comparison of two saved runs in the same form."""
    heading = "REFUSED" if comparison.refused else comparison.verdict
    lines = [f"## {heading}: comparison of two runs", "", _escape(comparison_sentence(comparison)), ""]
    lines += [
        "| Verdict | Id | Metric | Base | Candidate | Change [95% interval] |",
        "|---|---|---|---|---|---|",
    ]
    for row in map(row_words, comparison.rows):
        fields = [row.verdict, row.id, row.metric, row.base, row.candidate, row.change]
        lines.append(f"| {' | '.join(_escape(field) for field in fields)} |")
    lines.append("")
    lines += [f"- **{_escape(line)}**" for line in unmatched(comparison)]
    lines += [f"- **Warning:** {_escape(warning)}" for warning in comparison.warnings]
    lines += [
        f"- Base: {_escape(run_words(comparison.base))}",
        f"- Candidate: {_escape(run_words(comparison.candidate))}",
    ]
    return "\n".join(lines) + "\n"


def _cell(cell: str | None, median: str | None) -> str:
    return ": ".join(part for part in (cell, median) if part) or "–"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
