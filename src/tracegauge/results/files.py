"""The files of a campaign's folder: their names, and reading and writing them so that a crash loses little."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.cell import Cell
from tracegauge.results.environment import Environment
from tracegauge.results.sample import Sample
from tracegauge.results.verdict import CampaignVerdict

CAMPAIGN_FILE = "campaign.json"
ENVIRONMENT_FILE = "environment.json"
SAMPLES_FILE = "samples.jsonl"
VERDICT_FILE = "verdict.json"
REPORT_FILE = "index.html"
FIGURES_FOLDER = "figures"

_Model = TypeVar("_Model", bound=BaseModel)


class ResultFileError(ValueError):
    """A result file is missing, damaged or of another version; the message says which, where and what is right."""


@dataclass(frozen=True)
class Samples:
    """The content of a `samples.jsonl`."""

    samples: tuple[Sample, ...]
    torn_line: int | None = None
    """Number of the last line, from 1, if it was cut off in the middle of writing; it is not among `samples`."""


@dataclass(frozen=True)
class CampaignResults:
    """Everything that is known of a campaign before it is judged."""

    record: CampaignRecord
    samples: tuple[Sample, ...]
    environment: Environment | None = None
    torn_line: int | None = None
    """See `Samples.torn_line`."""

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """All cells by id, planned or measured, in the order of the matrix."""
        return {cell.id: cell for cell in (*self.record.cells, *(sample.cell for sample in self.samples))}

    @cached_property
    def by_cell(self) -> dict[str, dict[int, Sample]]:
        """The samples by cell id, in the order of the matrix, then by block; empty for a cell without any.

        Of two samples of one cell and block the later line counts: a resumed campaign measures the block that it was
        interrupted in again.
        """
        by_cell: dict[str, dict[int, Sample]] = {cell: {} for cell in self.cells}
        for sample in self.samples:
            by_cell[sample.cell.id][sample.block] = sample
        return by_cell


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name beside it and rename it, so that readers see the old or the new, never half.

    Raises OSError where the folder can't be written to; nothing is left behind then.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_record(path: Path, record: BaseModel) -> None:
    """Write one record as indented JSON, atomically."""
    write_atomically(path, record.model_dump_json(indent=2) + "\n")


def append_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Append samples, a line each, and wait until they are on the disk. Creates the file if there is none.

    A last line that an earlier crash cut off is removed first, or else the first new line would be glued to it.
    """
    _mend_tail(path)
    with path.open("ab") as file:
        for sample in samples:
            file.write(sample.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_samples(path: Path) -> Samples:
    """Read a `samples.jsonl`. A last line that was cut off is left out and told; one anywhere else is damage.

    Raises ResultFileError, with file and line, for a line that is no sample of this version.
    """
    lines = _read_bytes(path).split(b"\n")
    tail = lines.pop()
    samples = [_parse(Sample, line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not tail:
        return Samples(tuple(samples))
    last = _sample_or_none(tail)
    if last is None:
        return Samples(tuple(samples), torn_line=len(lines) + 1)
    return Samples((*samples, last))


def read_campaign(folder: Path) -> CampaignResults:
    """Read what was measured in a campaign's folder. Samples and environment may be missing, the campaign may not.

    Raises ResultFileError for a folder without `campaign.json` and for damaged files.
    """
    if not folder.is_dir():
        raise ResultFileError(f"{folder}: there is no such folder; name the folder of a campaign")
    record = read_record(folder / CAMPAIGN_FILE, CampaignRecord)
    samples_file, environment_file = folder / SAMPLES_FILE, folder / ENVIRONMENT_FILE
    read = read_samples(samples_file) if samples_file.exists() else Samples(())
    environment = read_record(environment_file, Environment) if environment_file.exists() else None
    return CampaignResults(record, read.samples, environment, read.torn_line)


def read_verdict(folder: Path) -> CampaignVerdict:
    """Read the verdict of a campaign's folder.

    Raises ResultFileError if the campaign has not been judged yet or the file is damaged.
    """
    return read_record(folder / VERDICT_FILE, CampaignVerdict)


def read_record(path: Path, model: type[_Model]) -> _Model:
    """Read one record from a JSON file. Raises ResultFileError if it is missing, damaged or of another version."""
    return _parse(model, _read_bytes(path), str(path))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ResultFileError(f"{path}: there is no such file; is {path.parent} the folder of a campaign?") from None


def _parse(model: type[_Model], data: bytes, where: str) -> _Model:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise ResultFileError(
            f"{where}: this is not a {model.__name__} that this version of tracegauge reads ({what})"
        ) from error


def _sample_or_none(line: bytes) -> Sample | None:
    try:
        return Sample.model_validate_json(line)
    except ValidationError:
        return None


def _mend_tail(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        start = content.rfind(b"\n") + 1
        tail = content[start:]
        if not tail:
            return
        if _sample_or_none(tail) is None:
            file.truncate(start)
        else:
            file.write(b"\n")
