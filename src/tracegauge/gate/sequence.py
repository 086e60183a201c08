"""Judging criteria together, look by look: each is decided at the first look that tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracegauge.gate.count import judge_count
from tracegauge.gate.estimated import decide, estimated_verdict, is_settled
from tracegauge.gate.evidence import SamplesByBlock
from tracegauge.gate.look import Look, look_at
from tracegauge.gate.series import series_of
from tracegauge.results import CriterionVerdict, Sample, Verdict
from tracegauge.results.campaign_record import CampaignRecord, CriterionRecord
from tracegauge.statistics import ALPHA, holm, next_spent, spent_at


@dataclass(frozen=True)
class Judged:
    """A verdict, and whether measuring more blocks could still change it."""

    verdict: CriterionVerdict
    settled: bool


def judge_criteria(
    record: CampaignRecord,
    samples: Mapping[str, SamplesByBlock],
    criteria: Sequence[CriterionRecord],
    *,
    together: bool,
) -> list[Judged]:
    """Judge criteria at every look that the measured blocks allow, in their order.

    `together`: their p-values get Holm's correction over all that are estimated (those of controls, which are judged
    each by itself, do not). A criterion keeps the verdict, the estimate and the interval of the look that decided it.
    """
    measured = max((block + 1 for by_block in samples.values() for block in by_block), default=0)
    looks = record.looks or (record.blocks,)
    latest: dict[str, Look] = {}
    for blocks, level in next_spent(looks, measured) or ((0, ALPHA),):
        upto = {cell: {b: s for b, s in by_block.items() if b < blocks} for cell, by_block in samples.items()}
        expected = blocks if record.looks else record.blocks
        for criterion in criteria:
            before = latest.get(criterion.id)
            if criterion.kind != "count" and (before is None or decide(before) is Verdict.INCONCLUSIVE):
                latest[criterion.id] = look_at(series_of(criterion, upto, expected), blocks, level, before)
    p_values = {id: look.p for id, look in latest.items() if look.p is not None}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True)) if together else p_values
    last_level = spent_at(looks)[-1]
    judged = []
    for criterion in criteria:
        if criterion.kind == "count":
            candidate = samples.get(criterion.candidate, {})
            expected = measured if record.looks else record.blocks
            counted = judge_count(criterion, candidate, expected=expected, planned=record.blocks)
            judged.append(Judged(counted, settled=True))
        else:
            look = latest[criterion.id]
            verdict, p_holm = decide(look), corrected.get(criterion.id)
            found = estimated_verdict(look, verdict, p_holm, planned=record.blocks, last_level=last_level)
            judged.append(Judged(found, is_settled(look, verdict)))
    return judged


def samples_by_cell(samples: Sequence[Sample]) -> dict[str, dict[int, Sample]]:
    """Samples by the id of their cell and by block."""
    by_cell: dict[str, dict[int, Sample]] = {}
    for sample in samples:
        by_cell.setdefault(sample.cell.id, {})[sample.block] = sample
    return by_cell
