"""Remembers on the source's runs and traces what has been copied where: by id, and by a hash of what was copied."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run, RunTag, TraceInfo
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.abstract_store import AbstractStore

from tracegauge.stores.locations import local_path
from tracegauge.stores.mlflow_traces import latest_metrics
from tracegauge.tracking.server_check import without_password

SOURCE_RUN_TAG = "tracegauge.source_run_id"
"""On a run of the target: the id of the run that it is a copy of."""
MARK_PREFIX = "tracegauge.synced."


@dataclass(frozen=True)
class Mark:
    """What a tag on the source says."""

    target_id: str
    digest: str

    @classmethod
    def parse(cls, text: str | None) -> "Mark | None":
        """Read a tag; None for none, and for one that is not ours."""
        target_id, _, digest = (text or "").partition(" ")
        return cls(target_id, digest) if digest else None

    def __str__(self) -> str:
        return f"{self.target_id} {self.digest}"


class Marks:
    """The marks of one target on one source."""

    def __init__(self, source: AbstractStore, target_uri: str) -> None:
        self._source = source
        # One source may be copied to several targets. The tag must not show the password of one.
        self.tag = MARK_PREFIX + hashlib.sha256(without_password(target_uri).encode()).hexdigest()[:8]

    def of(self, tags: dict[str, str]) -> Mark | None:
        """The mark among the tags of a run or trace."""
        return Mark.parse(tags.get(self.tag))

    def mark_run(self, run_id: str, mark: Mark) -> None:
        """Remember that a run is copied. Raises MlflowException."""
        self._source.set_tag(run_id, RunTag(self.tag, str(mark)))

    def mark_trace(self, trace_id: str, mark: Mark) -> None:
        """Remember that a trace is copied. Raises MlflowException."""
        self._source.set_trace_tag(trace_id, self.tag, str(mark))


def without_marks(tags: dict[str, str]) -> dict[str, str]:
    """Tags without those of any sync."""
    return {key: value for key, value in tags.items() if not key.startswith(MARK_PREFIX)}


def run_digest(run: Run, points: int) -> str:
    """A hash of what a search tells of a run, of how many metric points it has, and of its local artifacts."""
    info = run.info
    return _digest(
        [info.run_name, info.status, info.start_time, info.end_time],
        run.data.params,
        without_marks(run.data.tags),
        sorted((one.key, repr(one.value), one.step, one.timestamp) for one in latest_metrics(run)),
        points,
        _local_files(info.artifact_uri),
    )


def _local_files(uri: str) -> list[tuple[str, int]]:
    """(path, size in bytes) of the files below a local artifact URI."""
    folder = local_path(uri)
    files = folder.rglob("*") if folder is not None else ()
    return sorted((str(path), path.stat().st_size) for path in files if path.is_file())


def trace_digest(info: TraceInfo) -> str:
    """A hash of what a search tells of a trace: all but its spans, which don't change once it has ended."""
    assessments = sorted(json.dumps(one.to_dictionary(), sort_keys=True) for one in info.assessments)
    return _digest(
        [str(info.state), info.execution_duration], without_marks(info.tags), info.trace_metadata, assessments
    )


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def is_missing(error: MlflowException) -> bool:
    """Whether a store says that something does not exist."""
    return bool(error.error_code == "RESOURCE_DOES_NOT_EXIST")
