"""The verdict as Markdown, fit for a pull-request comment or the summary of a CI job."""

import re

from tracegauge.reporting.words import criterion_words, verdict_sentence
from tracegauge.results import CampaignVerdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&!])")


def render_markdown(verdict: CampaignVerdict) -> str:
    """Heading, sentence, table of criteria and warnings; names from outside are escaped."""
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
    lines += [f"- **Warning:** {_escape(warning)}" for warning in verdict.warnings]
    return "\n".join(lines).rstrip() + "\n"


def _cell(cell: str | None, median: str | None) -> str:
    return ": ".join(part for part in (cell, median) if part) or "–"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
