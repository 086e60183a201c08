"""Judging a whole campaign."""

from pathlib import Path

from tracegauge.gate.count import judge_count
from tracegauge.gate.ratio import judge_ratio
from tracegauge.gate.warnings import find_warnings
from tracegauge.results import CampaignVerdict, CriterionVerdict, Verdict
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.results.files import VERDICT_FILE, CampaignResults, read_campaign, write_record


def judge_campaign(results: CampaignResults) -> CampaignVerdict:
    """The verdict on each criterion and on the campaign, with what a reader must know before trusting it."""
    samples = results.by_cell
    planned = results.record.blocks

    def judge(criterion: CriterionRecord) -> CriterionVerdict:
        candidate = samples.get(criterion.candidate, {})
        if criterion.baseline is None:
            return judge_count(criterion, candidate, planned)
        return judge_ratio(criterion, candidate, samples.get(criterion.baseline, {}), planned)

    criteria = tuple(judge(criterion) for criterion in results.record.criteria)
    return CampaignVerdict(
        campaign=results.record.name,
        verdict=_overall([criterion.verdict for criterion in criteria]),
        criteria=criteria,
        warnings=tuple(find_warnings(results)),
    )


def judge_folder(folder: Path) -> CampaignVerdict:
    """Judge the campaign of a folder and write `verdict.json` there.

    Raises ResultFileError for a folder that holds no campaign or damaged files, OSError if it can't be written to.
    """
    verdict = judge_campaign(read_campaign(folder))
    write_record(folder / VERDICT_FILE, verdict)
    return verdict


def _overall(verdicts: list[Verdict]) -> Verdict:
    if Verdict.REGRESSED in verdicts:
        return Verdict.REGRESSED
    if Verdict.INCONCLUSIVE in verdicts or not verdicts:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
