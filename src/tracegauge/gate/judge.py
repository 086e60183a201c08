"""Judging a whole campaign."""

from collections.abc import Sequence
from pathlib import Path

from tracegauge.gate.controls import distrust, underpowered
from tracegauge.gate.sequence import Judged, judge_criteria, samples_by_cell
from tracegauge.gate.warnings import find_warnings
from tracegauge.results import CampaignVerdict, Sample, Verdict
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import VERDICT_FILE, CampaignResults, read_campaign, write_record


def judge_campaign(results: CampaignResults) -> CampaignVerdict:
    """The verdict on each criterion and on the campaign, with what a reader must know before trusting it."""
    judged, controls = _judge(results.record, results.samples)
    criteria = tuple(one.verdict for one in judged)
    control_verdicts = tuple(one.verdict for one in controls)
    wrong = tuple(distrust(control_verdicts))
    settled = all(one.settled for one in (*judged, *controls))
    return CampaignVerdict(
        campaign=results.record.name,
        verdict=Verdict.INCONCLUSIVE if wrong else _overall([criterion.verdict for criterion in criteria]),
        trusted=not wrong,
        reasons=(*wrong, *underpowered(control_verdicts)),
        criteria=criteria,
        controls=control_verdicts,
        warnings=tuple(find_warnings(results, settled=settled)),
    )


def is_decided(record: CampaignRecord, samples: Sequence[Sample]) -> bool:
    """Whether measuring more blocks would change no verdict, of a criterion or of a control."""
    judged, controls = _judge(record, samples)
    return all(one.settled for one in (*judged, *controls))


def judge_folder(folder: Path) -> CampaignVerdict:
    """Judge the campaign of a folder and write `verdict.json` there.

    Raises ResultFileError for a folder that holds no campaign or damaged files, OSError if it can't be written to.
    """
    verdict = judge_campaign(read_campaign(folder))
    write_record(folder / VERDICT_FILE, verdict)
    return verdict


def _judge(record: CampaignRecord, samples: Sequence[Sample]) -> tuple[list[Judged], list[Judged]]:
    by_cell = samples_by_cell(samples)
    return (
        judge_criteria(record, by_cell, record.criteria, together=True),
        judge_criteria(record, by_cell, record.controls, together=False),
    )


def _overall(verdicts: list[Verdict]) -> Verdict:
    if Verdict.REGRESSED in verdicts:
        return Verdict.REGRESSED
    if Verdict.INCONCLUSIVE in verdicts or not verdicts:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
