"""The campaigns that are saved below a folder of reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracegauge.results import CampaignVerdict, Environment
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    ENVIRONMENT_FILE,
    REPORT_FILE,
    VERDICT_FILE,
    ResultFileError,
    read_record,
    read_verdict,
)


@dataclass(frozen=True)
class SavedCampaign:
    """A campaign's folder, without its samples."""

    folder: Path
    record: CampaignRecord
    environment: Environment | None
    verdict: CampaignVerdict | None
    """None where it has not been judged yet."""

    @property
    def page(self) -> Path | None:
        """Its report, where there is one."""
        page = self.folder / REPORT_FILE
        return page if page.is_file() else None


@dataclass(frozen=True)
class Unreadable:
    """A folder with a campaign that can't be read, and why."""

    folder: Path
    reason: str


def saved_campaigns(reports: Path) -> list[SavedCampaign | Unreadable]:
    """What stands below the folder, the newest first; unreadable ones last. Empty if there is no such folder."""
    found = list(_read_all(reports))
    readable = [one for one in found if isinstance(one, SavedCampaign)]
    newest_first = sorted(readable, key=lambda one: (one.record.started_at, one.folder.name), reverse=True)
    return [*newest_first, *(one for one in found if isinstance(one, Unreadable))]


def newest_campaign(reports: Path) -> SavedCampaign:
    """The campaign that was started last. Raises ResultFileError if there is none."""
    for one in saved_campaigns(reports):
        if isinstance(one, SavedCampaign):
            return one
    raise ResultFileError(f"there is no report in {reports}: measure first, for example with `tracegauge demo`")


def _read_all(reports: Path) -> Iterator[SavedCampaign | Unreadable]:
    if not reports.is_dir():
        return
    for file in sorted(reports.glob(f"*/{CAMPAIGN_FILE}")):
        folder = file.parent
        environment, verdict = folder / ENVIRONMENT_FILE, folder / VERDICT_FILE
        try:
            yield SavedCampaign(
                folder,
                read_record(file, CampaignRecord),
                read_record(environment, Environment) if environment.exists() else None,
                read_verdict(folder) if verdict.exists() else None,
            )
        except ResultFileError as error:
            yield Unreadable(folder, str(error))
