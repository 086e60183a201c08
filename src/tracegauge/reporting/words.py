"""The verdict in words, the same in the terminal, on the page and in Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.numbers import (
    MISSING,
    render_coverage,
    render_interval,
    render_number,
    render_ratio,
    render_signed,
    render_value,
)
from tracegauge.results import CampaignVerdict, CriterionVerdict, Metric, Verdict, metric
from tracegauge.results.against import Against, PackageDifference

_OUTCOMES = (
    (Verdict.REGRESSED, "regressed"),
    (Verdict.INCONCLUSIVE, "can't be told yet"),
    (Verdict.PASS, "passed"),
)


_CONTROLS = {
    ("control_aa", Verdict.PASS): "no difference, as it must be",
    ("control_aa", Verdict.REGRESSED): "a difference where there is none",
    ("control_injected", Verdict.REGRESSED): "found, as it must be",
    ("control_injected", Verdict.PASS): "not found",
}

_CELLS_NAMED = 5


@dataclass(frozen=True)
class CriterionWords:
    """One row of the verdict table."""

    id: str
    verdict: str
    claim: str
    metric: str
    """What is measured, with "higher is better" where it is."""
    candidate: str
    source: str
    """Where the claim is made; empty where that is not said."""
    candidate_median: str | None
    """Median over blocks; None for a count, whose largest value is what counts."""
    baseline: str | None
    baseline_median: str | None
    estimate: str
    """Ratio, difference or value with its interval, or the largest count of a block."""
    allowed: str
    coverage: str
    """Blocks that the estimate rests on, of those planned."""
    detectable: str
    """The smallest true effect that would probably be found."""
    p_value: str
    """Of "no worse than allowed", after Holm's correction over all criteria."""
    needed: str
    """Blocks that would probably decide, where it can't be told yet."""
    reason: str


_NAMED = 3
"""Criteria of one verdict that the sentence names; the table below it has them all."""


def verdict_sentence(verdict: CampaignVerdict) -> str:
    """The whole verdict in one sentence, without the word PASS, REGRESSED or INCONCLUSIVE itself."""
    if not verdict.trusted:
        return f"These numbers can't be trusted: {' '.join(verdict.reasons) or 'a control came out wrong.'}"
    if not verdict.criteria:
        return "The campaign claims nothing: it has no criteria, so there is nothing to pass."
    total = len(verdict.criteria)
    parts = []
    for outcome, word in _OUTCOMES:
        ids = [criterion.id for criterion in verdict.criteria if criterion.verdict is outcome]
        if ids:
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            named = "" if outcome is Verdict.PASS else f" ({', '.join(ids[:_NAMED])}{more})"
            parts.append(f"{len(ids)} {word}{named}")
    return f"Of {total} {'criterion' if total == 1 else 'criteria'}, {', '.join(parts)}."


def scope_sentence(data: ReportData) -> str:
    """What was measured, in one sentence."""
    record, cells = data.results.record, data.results.cells
    failing = int((data.losses.failed > 0).sum())
    trouble = f"; {failing} of them failed in at least one block" if failing else ""
    measured = len({sample.block for sample in data.results.samples})
    of = f"{measured} of " if measured < record.blocks else ""
    return (
        f"{_counted(len(cells), 'cell')} in {of}{_counted(record.blocks, 'block')}, each with"
        f" {_counted(record.invocations, 'invocation')} in a fresh process{trouble}."
    )


def against_sentence(against: Against) -> str:
    """What the campaign was compared with, in one sentence."""
    what = f"revision {against.reference}" if against.kind == "revision" else against.reference
    commit = f" ({against.commit[:12]})" if against.commit else ""
    differing = len(against.packages)
    verb = "differs" if differing == 1 else "differ"
    packages = f"{_counted(differing, 'package')} {verb}" if differing else "no package differs"
    same = ": both sides are the same" if not differing and against.kind == "requirement" else ""
    return f"Measured against {what}{commit} in the same blocks; {packages}{same}."


def difference_words(difference: PackageDifference) -> str:
    """A package that differs: "pandas 3.0.0 here, 2.3.3 there"."""
    if difference.new is None:
        return f"{difference.name} not here, {difference.old} there"
    if difference.old is None:
        return f"{difference.name} {difference.new} here, not there"
    if difference.new == difference.old:
        return f"{difference.name} {difference.new}, another build there"
    return f"{difference.name} {difference.new} here, {difference.old} there"


def loss_sentence(data: ReportData) -> str | None:
    """How many traces were lost and where, worst first; None if none was. To be shown where nobody overlooks it."""
    losing = data.losses[data.losses.lost > 0]
    if losing.empty:
        return None
    shares = (losing.lost / losing.made).sort_values(ascending=False, kind="stable")
    named = ", ".join(f"{cell} {share:.1%}" for cell, share in shares.iloc[:_CELLS_NAMED].items())
    more = f" and {len(shares) - _CELLS_NAMED} more" if len(shares) > _CELLS_NAMED else ""
    lost = f"{losing.lost.sum():,} of {data.losses.made.sum():,}"
    return f"Traces were lost: {lost}, in {len(losing)} of {_counted(len(data.losses), 'cell')} ({named}{more})."


def scorecard_title(verdict: CampaignVerdict) -> str | None:
    """What the claims together are called, where they say which decision record makes them; else None."""
    sources = {criterion.source for criterion in verdict.criteria}
    records = {re.match(r"[A-Z]+-\d+", source or "") for source in sources}
    names = {record[0] for record in records if record}
    if names == set() and not any(sources):
        return None
    return f"{names.pop()} scorecard" if len(names) == 1 and None not in records else "Scorecard"


def criterion_words(criterion: CriterionVerdict) -> CriterionWords:
    """One criterion, ready to be shown."""
    what = metric(criterion.metric)
    count = criterion.kind == "count"

    def median(value: float | None) -> str | None:
        return None if count else render_value(value, what.unit)

    return CriterionWords(
        id=criterion.id,
        verdict=str(criterion.verdict),
        claim=criterion.claim,
        metric=what.label + (" (higher is better)" if what.higher_is_better else ""),
        candidate=criterion.candidate,
        source=criterion.source or "",
        candidate_median=median(criterion.candidate_median),
        baseline=criterion.baseline,
        baseline_median=median(criterion.baseline_median),
        estimate=_estimate(criterion, what),
        allowed=_allowed(criterion, what),
        coverage=render_coverage(criterion.blocks, criterion.blocks_planned),
        detectable=MISSING if criterion.detectable is None else _on_scale(criterion, criterion.detectable, what.unit),
        p_value=_probability(criterion.p_holm),
        needed=str(criterion.blocks_needed) if criterion.blocks_needed else MISSING,
        reason=criterion.reason,
    )


def control_words(control: CriterionVerdict) -> CriterionWords:
    """One control; its verdict says whether it came out as it must, for a slowdown on purpose must be found."""
    outcome = _CONTROLS.get((control.role, control.verdict), "can't be told yet")
    return replace(criterion_words(control), verdict=outcome)


def worst_first(criteria: Sequence[CriterionVerdict]) -> list[CriterionVerdict]:
    """Those that regressed, then those that can't be told, then those that passed, each in their own order."""
    order = [outcome for outcome, _ in _OUTCOMES]
    return sorted(criteria, key=lambda criterion: order.index(criterion.verdict))


def _estimate(criterion: CriterionVerdict, what: Metric) -> str:
    if criterion.estimate is None:
        return render_number(None)
    found = _on_scale(criterion, criterion.estimate, what.unit)
    if criterion.kind == "count":
        return f"{found} in a block"
    unit = "" if criterion.kind == "ratio" else what.unit
    return f"{found} {render_interval(criterion.interval, unit) if criterion.interval else '(no interval)'}"


def _allowed(criterion: CriterionVerdict, what: Metric) -> str:
    if criterion.kind == "count":
        return f"≤ {criterion.margin:g}"
    if criterion.kind == "limit":
        return f"{'≥' if what.higher_is_better else '≤'} {render_value(criterion.margin, what.unit)}"
    if criterion.kind == "difference":
        return f"≤ {render_signed(criterion.margin, what.unit)}"
    also = "" if criterion.absolute_margin is None else f" or {render_signed(criterion.absolute_margin, what.unit)}"
    return f"≤ ×{1 + criterion.margin:.4g}{also}"


def _on_scale(criterion: CriterionVerdict, value: float, unit: str) -> str:
    """A number of the estimate's own scale."""
    if criterion.kind == "ratio":
        return f"×{render_ratio(value)}"
    return render_signed(value, unit) if criterion.kind == "difference" else render_value(value, unit)


def _probability(p: float | None) -> str:
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
