"""Judging a `count` criterion: was something, such as lost traces, counted more often than allowed?"""

from statistics import median
from typing import get_args

from tracegauge.gate.evidence import SamplesByBlock, evidence_of
from tracegauge.results import CriterionVerdict, Verdict, metric
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.results.sample import FailureKind


def judge_count(
    criterion: CriterionRecord, candidate: SamplesByBlock, *, expected: int, planned: int
) -> CriterionVerdict:
    """REGRESSED if the count exceeds the margin in any block; PASS if every expected block was counted and none does.

    `expected`: blocks that should have been measured by now, `planned`: in all. A sample that failed a check (traces
    were lost) still counts: its counts are the evidence.
    """
    what = metric(criterion.metric)
    evidence = evidence_of(criterion.candidate, candidate, what, expected, forgive=get_args(FailureKind))
    counts = evidence.values
    exceeding = [block for block, count in counts.items() if count > criterion.margin]
    allowed = f"{criterion.margin:g} allowed"
    if exceeding:
        verdict = Verdict.REGRESSED
        finding = f"Up to {max(counts.values()):,g} {what.unit} in {blocks_in_words(exceeding)}, {allowed}"
    elif not counts:
        verdict, finding = Verdict.INCONCLUSIVE, "No block gives a count"
    else:
        verdict = Verdict.INCONCLUSIVE if evidence.gaps else Verdict.PASS
        finding = f"At most {max(counts.values()):,g} {what.unit} in each of {len(counts)} blocks, {allowed}"
    return CriterionVerdict(
        id=criterion.id,
        role=criterion.role,
        claim=criterion.claim,
        source=criterion.source,
        kind="count",
        metric=criterion.metric,
        candidate=criterion.candidate,
        margin=criterion.margin,
        bound=criterion.margin,
        blocks=len(counts),
        blocks_measured=len(candidate),
        blocks_planned=planned,
        block_numbers=tuple(counts),
        block_values=tuple(counts.values()),
        candidate_values=tuple(counts.values()),
        estimate=max(counts.values(), default=None),
        candidate_median=median(counts.values()) if counts else None,
        verdict=verdict,
        reason=f"{finding}; not counted: {evidence.gaps}." if evidence.gaps else f"{finding}.",
    )
