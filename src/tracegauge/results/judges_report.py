"""What a report says of judges: the content of `judges.json` in a campaign's folder."""

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.calibration import CalibrationRecord
from tracegauge.results.files import read_record
from tracegauge.results.judge_card import JudgeCard
from tracegauge.results.judge_status import JudgeStatus

JUDGES_FILE: Final = "judges.json"
JUDGES_REPORT_SCHEMA_VERSION: Final = 1


class JudgesReport(BaseModel):
    """Every judge of one store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = JUDGES_REPORT_SCHEMA_VERSION
    made_at: datetime
    store: str
    """Tracking URI, without a password."""
    experiments: tuple[str, ...]
    """Names of the experiments that were read."""
    experiment_ids: tuple[str, ...] = ()
    """Their ids in the store, in the same order; empty where they are not known."""
    judges: tuple[JudgeStatus, ...]
    calibrations: tuple[CalibrationRecord, ...] = ()
    """At most one for each judge, by its digest."""
    cards: tuple[JudgeCard, ...] = ()
    """At most one for each judge, by its digest."""


def read_judges(folder: Path) -> JudgesReport | None:
    """What is said of judges in a campaign's folder; None where there is no `judges.json`.

    Raises ResultFileError if the file is damaged or of another version.
    """
    file = folder / JUDGES_FILE
    return read_record(file, JudgesReport) if file.exists() else None
