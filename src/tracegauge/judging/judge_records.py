"""Calibrations and judge cards on the disk: a folder that goes into version control beside the judge files.

`calibrations/<judge>-<digest>.<kind>.json`, with `human` or `synthetic` for calibrations and `card` for judge cards: a
changed judge is another judge, so it begins without any.
"""

from pathlib import Path
from typing import Final

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.results.calibration import CalibrationRecord
from tracegauge.results.files import ResultFileError, read_record, write_record
from tracegauge.results.judge_card import JudgeCard
from tracegauge.statistics.corrected_rate import CorrectedRate, NotCorrectable, corrected_rate

RECORDS_FOLDER: Final = Path("calibrations")


def keep(record: CalibrationRecord | JudgeCard, folder: Path = RECORDS_FOLDER) -> Path:
    """Write a record into the folder, in the place of an earlier one of the same judge and kind.

    Raises ConfigError where the folder can't be written to.
    """
    kind = record.label_source if isinstance(record, CalibrationRecord) else "card"
    file = folder / _file_name(record.judge, record.digest, kind)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_record(file, record)
    except OSError as error:
        raise ConfigError(f"{file} can't be written: {error.strerror or error}", hint="name a folder: --out") from error
    return file


def calibration_of(spec: JudgeSpec, folder: Path = RECORDS_FOLDER) -> CalibrationRecord | None:
    """The calibration of this very judge, by its digest: one against people before one against synthetic labels.

    Raises ConfigError for a damaged record.
    """
    for source in ("human", "synthetic"):
        file = folder / _file_name(spec.name, spec.digest, source)
        if file.exists():
            try:
                return read_record(file, CalibrationRecord)
            except ResultFileError as error:
                raise ConfigError(str(error), hint=f"calibrate {spec.name} again, or remove the file") from error
    return None


def card_of(spec: JudgeSpec, folder: Path = RECORDS_FOLDER) -> JudgeCard | None:
    """The judge card of this very judge, by its digest. Raises ConfigError for a damaged record."""
    file = folder / _file_name(spec.name, spec.digest, "card")
    try:
        return read_record(file, JudgeCard) if file.exists() else None
    except ResultFileError as error:
        raise ConfigError(str(error), hint=f"audit {spec.name} again, or remove the file") from error


def why_not_trusted(spec: JudgeSpec, folder: Path = RECORDS_FOLDER) -> str | None:
    """Why a judge may not be applied: its `minimum_kappa` is not met, or not known to be. None if it may."""
    minimum = spec.calibration.minimum_kappa
    if minimum is None:
        return None
    record = calibration_of(spec, folder)
    if record is None:
        return (
            f"{spec.name} asks for a kappa of at least {minimum:g}, and has no calibration in {folder} for its digest "
            f"{spec.digest}: run `tracegauge judge calibrate`"
        )
    if record.kappa.value is None or record.kappa.value < minimum:
        found = "is not defined" if record.kappa.value is None else f"was {record.kappa.value:.2f}"
        return (
            f"{spec.name} asks for a kappa of at least {minimum:g}; it {found} on {record.kappa.n} "
            f"{record.label_source} labels ({record.labels_from})"
        )
    return None


def corrected_pass_rate(record: CalibrationRecord | None, passed: int, judged: int) -> CorrectedRate | NotCorrectable:
    """The pass rate of `passed` of `judged` verdicts, corrected for how often the judge errs by its calibration.

    Not without labels of people: how often a judge errs on examples that were written for it says nothing of
    production.
    """
    if record is None:
        return NotCorrectable("the judge is not calibrated")
    if record.mock or record.label_source == "synthetic":
        return NotCorrectable("the judge is calibrated with synthetic labels or a mock only, not by people")
    if record.tpr is None or record.tnr is None:
        return NotCorrectable("the judge's file does not say which verdicts are good")
    return corrected_rate(passed, judged, record.tpr.count, record.tpr.n, record.tnr.count, record.tnr.n)


def _file_name(judge: str, digest: str | None, kind: str) -> str:
    safe = "".join(one if one.isalnum() or one in "._-" else "_" for one in judge)
    return f"{safe}-{digest}.{kind}.json" if digest else f"{safe}.{kind}.json"
