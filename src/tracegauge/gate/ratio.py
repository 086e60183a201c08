"""Judging a `ratio` criterion: is the candidate worse than the baseline by more than the margin?"""

from tracegauge.gate.evidence import SamplesByBlock, evidence_of
from tracegauge.results import CriterionVerdict, Verdict, metric
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.statistics import Estimate, blocks_for_interval, median_with_interval, pair_by_block


def judge_ratio(
    criterion: CriterionRecord, candidate: SamplesByBlock, baseline: SamplesByBlock, planned: int
) -> CriterionVerdict:
    """The verdict on the median over blocks of candidate / baseline (turned round where higher is better).

    PASS: the whole 95% interval is within the margin, on the evidence of every planned block. REGRESSED: the whole
    interval is beyond the margin. Otherwise INCONCLUSIVE. Blocks in which either side failed are not paired.
    """
    assert criterion.baseline is not None
    what = metric(criterion.metric)
    ours = evidence_of(criterion.candidate, candidate, what, planned, of_failed=False)
    theirs = evidence_of(criterion.baseline, baseline, what, planned, of_failed=False)
    pairs = pair_by_block(ours.values, theirs.values)
    above, below = (pairs.baseline, pairs.candidate) if what.higher_is_better else (pairs.candidate, pairs.baseline)
    undefined = [int(block) for block, value in zip(pairs.blocks, below, strict=True) if value == 0]
    ratios = [float(a / b) for a, b in zip(above, below, strict=True) if b != 0]
    estimate = median_with_interval(ratios) if ratios else None

    gaps = [gap for gap in (ours.gaps, theirs.gaps) if gap]
    if undefined:
        gaps.append(f"the ratio is undefined in {blocks_in_words(undefined)}, where it would be divided by 0")
    verdict, finding = _decide(estimate, criterion.margin)
    if verdict is Verdict.PASS and gaps:
        verdict = Verdict.INCONCLUSIVE
    turned = " (baseline / candidate, as higher is better)" if what.higher_is_better else ""
    left_out = f"; not in the estimate: {'; '.join(gaps)}" if gaps else ""
    return CriterionVerdict(
        id=criterion.id,
        claim=criterion.claim,
        kind="ratio",
        metric=criterion.metric,
        candidate=criterion.candidate,
        baseline=criterion.baseline,
        margin=criterion.margin,
        bound=1 + criterion.margin,
        blocks=len(ratios),
        blocks_measured=len(candidate),
        blocks_planned=planned,
        block_values=tuple(ratios),
        estimate=estimate.median if estimate else None,
        interval=estimate.interval if estimate else None,
        candidate_median=median_with_interval(list(ours.values.values())).median if ours.values else None,
        baseline_median=median_with_interval(list(theirs.values.values())).median if theirs.values else None,
        verdict=verdict,
        reason=f"{finding}{turned}{left_out}.",
    )


def _decide(estimate: Estimate | None, margin: float) -> tuple[Verdict, str]:
    """Non-inferiority by confidence interval (Schuirmann 1987; Walker & Nowacki 2011): "not significant" is no pass."""
    if estimate is None:
        return Verdict.INCONCLUSIVE, "No block gives a ratio"
    if estimate.interval is None:
        found = f"The ratio is {estimate.median:.4g} over {estimate.n} {'block' if estimate.n == 1 else 'blocks'}"
        return Verdict.INCONCLUSIVE, f"{found}, too few for a 95% interval: at least {blocks_for_interval()} are needed"
    low, high = estimate.interval
    found = f"The ratio is {estimate.median:.4g}, 95% interval {low:.4g} to {high:.4g}, over {estimate.n} blocks"
    limit = 1 + margin
    if high <= limit:
        return Verdict.PASS, f"{found}: all of it is within {limit:.4g}"
    if low > limit:
        return Verdict.REGRESSED, f"{found}: all of it is above {limit:.4g}"
    return Verdict.INCONCLUSIVE, f"{found}: {limit:.4g} lies inside it, so it can't be told yet"
