"""The verdict on a criterion that is estimated: a `ratio`, a `difference`, a `limit`."""

from tracegauge.gate.look import Look, spread
from tracegauge.gate.series import TURNED_ROUND
from tracegauge.results import CriterionVerdict, Verdict
from tracegauge.statistics import ALPHA, blocks_to_decide, detectable_shift, interval_rank, values_for_interval


def decide(look: Look) -> Verdict:
    """Non-inferiority by confidence interval: "not significant" is no pass.

    PASS: the whole interval is within the bound, on the evidence of every planned block. REGRESSED: the whole interval
    is beyond it. Otherwise INCONCLUSIVE. The interval's ends err with 2.5% each, so each of the two one-sided tests
    does (Schuirmann 1987; Walker & Nowacki 2011; Piaggio et al. 2012, CONSORT's extension to non-inferiority).
    """
    if look.beyond:
        return Verdict.REGRESSED
    return Verdict.PASS if look.within and not look.series.gaps else Verdict.INCONCLUSIVE


def is_settled(look: Look, verdict: Verdict) -> bool:
    """Whether more blocks would not change the verdict, or could not: only failures keep it from a PASS."""
    return verdict is not Verdict.INCONCLUSIVE or look.within


def estimated_verdict(
    look: Look, verdict: Verdict, p_holm: float | None, *, planned: int, last_level: float
) -> CriterionVerdict:
    """The verdict as a record. `last_level`: error rate of the last look."""
    series, criterion, location = look.series, look.series.criterion, look.location
    shown = series.scale.shown
    interval = None
    if location and location.interval:
        low, high = sorted(shown(end) for end in location.interval)
        interval = (low, high)
    sd = spread(look)
    needed = None
    if verdict is Verdict.INCONCLUSIVE and location and sd is not None and not look.within:
        distance = abs(location.estimate - series.judged_bound)
        needed = blocks_to_decide(distance, sd, last_level)
        needed = max(needed, look.blocks + 1) if needed else None
    detectable = None
    if sd is not None and interval is not None:
        detectable = shown(series.judged_bound + detectable_shift(sd, len(series.blocks), look.level))
    return CriterionVerdict(
        id=criterion.id,
        role=criterion.role,
        claim=criterion.claim,
        source=criterion.source,
        kind=criterion.kind,
        metric=criterion.metric,
        candidate=criterion.candidate,
        baseline=criterion.baseline,
        margin=criterion.margin,
        absolute_margin=criterion.absolute_margin,
        bound=series.bound,
        blocks=len(series.blocks),
        blocks_measured=look.blocks,
        blocks_planned=planned,
        block_numbers=series.blocks,
        block_values=series.shown,
        candidate_values=series.candidate,
        baseline_values=series.baseline,
        estimate=shown(location.estimate) if location else None,
        interval=interval,
        confidence=1 - 2 * ALPHA,
        p_regressed=look.p,
        p_holm=p_holm,
        detectable=detectable,
        blocks_needed=needed,
        candidate_median=series.medians[0],
        baseline_median=series.medians[1],
        verdict=verdict,
        reason=_reason(look, interval, needed, p_holm),
    )


def _reason(look: Look, interval: tuple[float, float] | None, needed: int | None, p_holm: float | None) -> str:
    series = look.series
    left_out = f"; not in the estimate: {'; '.join(series.gaps)}" if series.gaps else ""
    if series.caveat:
        left_out += f"; used as the criterion allows, although {series.caveat}"
    noun = {"ratio": "ratio", "difference": "difference", "limit": "value"}[series.criterion.kind]
    if look.location is None:
        return f"No block gives a {noun}{left_out}."
    unit = "" if series.criterion.kind == "ratio" else f" {series.metric.unit}"
    n = len(series.blocks)
    blocks = f"{n} {'block' if n == 1 else 'blocks'}"
    estimate = f"The {noun} is {series.scale.shown(look.location.estimate):.4g}{unit}"
    if interval is None:
        least = values_for_interval(look.level)
        return f"{estimate} over {blocks}, too few for a 95% interval: at least {least} are needed{left_out}."
    few = ", the smallest and the largest of so few" if interval_rank(n, look.level) == 1 else ""
    found = f"{estimate}, 95% interval {interval[0]:.4g} to {interval[1]:.4g}, over {blocks}{few}"
    bound = f"{series.bound:.4g}{unit}"
    must_reach = series.scale is TURNED_ROUND
    if look.within:
        finding = f"all of it {'reaches' if must_reach else 'is within'} {bound}"
    elif look.beyond:
        finding = f"all of it is {'below' if must_reach else 'above'} {bound}"
        if p_holm is not None and p_holm > ALPHA:
            finding += f" (among so many criteria, one may be by chance: p = {p_holm:.2g} after Holm's correction)"
    else:
        finding = f"{bound} lies inside it, so it can't be told yet; " + (
            f"about {needed} blocks in all would decide" if needed else "no number of blocks can be foreseen"
        )
    turned = ""
    if series.metric.higher_is_better and series.criterion.baseline:
        what = "baseline / candidate" if series.criterion.kind == "ratio" else "baseline - candidate"
        turned = f" ({what}, as higher is better)"
    return f"{found}: {finding}{turned}{left_out}."
