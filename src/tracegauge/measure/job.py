"""The job that the campaign hands to a worker process, and the worker's answer."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from tracegauge.config.campaign import ExpectedSpans, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.results import Cell, Failure, Measurement


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FilledStore(_Record):
    """A store that was filled before, to measure reading."""

    traces: int
    folder: Path


class CountCalls(_Record):
    """Run each input of a workflow once, untraced, and count its calls."""

    kind: Literal["count_calls"] = "count_calls"
    workflow: MeasuredWorkflow


class CallsOfInput(_Record):
    """How often one invocation with one input calls nodes, models and tools."""

    node_calls: int
    llm_calls: int
    tool_calls: int
    node_names: tuple[str, ...]


class CreateStore(_Record):
    """Make an empty store."""

    kind: Literal["create_store"] = "create_store"
    backend: str
    folder: Path


class MeasureCell(_Record):
    """Measure one cell on a fresh store, or fill a store for reading."""

    kind: Literal["measure_cell"] = "measure_cell"
    cell: Cell
    workflow: MeasuredWorkflow
    calls: tuple[CallsOfInput, ...]
    """Per input of the workflow."""
    expect: ExpectedSpans | None
    folder: Path | None
    """The store's folder; None where nothing is stored."""
    warmups: int
    invocations: int
    filled: tuple[FilledStore, ...] = ()
    read_repetitions: int = 0


Job = CountCalls | CreateStore | MeasureCell


class Refusal(_Record):
    """A ConfigError that a job met, to be raised again where people see it."""

    message: str
    file: str | None
    line: int | None
    column: int | None
    hint: str | None
    others: tuple["Refusal", ...] = ()

    @classmethod
    def of(cls, error: ConfigError) -> Self:
        """The error as a record."""
        return cls(
            message=error.message,
            file=error.file,
            line=error.line,
            column=error.column,
            hint=error.hint,
            others=tuple(cls.of(other) for other in error.others),
        )

    def error(self) -> ConfigError:
        """The record as the error that it was."""
        others = [other.error() for other in self.others]
        return ConfigError(self.message, self.file, self.line, self.column, self.hint, others)


class Answer(_Record):
    """What came of a job."""

    refusal: Refusal | None = None
    calls: tuple[CallsOfInput, ...] = ()
    duration_ns: int | None = None
    measurement: Measurement | None = None
    failures: tuple[Failure, ...] = ()
