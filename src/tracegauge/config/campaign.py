"""Campaign files: which cells are measured, how, and what is claimed of them."""

from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExpectedSpans(_Model):
    """Declared span counts of one instrument on one workflow, per invocation.

    A count that is not declared is derived from an untraced reference invocation of each input, where that is possible.
    """

    spans: int | None = Field(default=None, ge=1)
    """All spans of a trace, the root included; for nested runs: all runs."""
    node_spans: int | None = Field(default=None, ge=0)
    llm_spans: int | None = Field(default=None, ge=0)
    tool_spans: int | None = Field(default=None, ge=0)


class MeasuredWorkflow(_Model):
    """One workflow of a campaign."""

    workflow: str
    """A workflow file, `langgraph.json#graph`, or `package.module:attribute`."""
    name: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Short name used in cell ids. Default: derived from the workflow's file, graph or attribute."""
    inputs: str | None = None
    """JSON or YAML file with one input, or a list of inputs that is cycled through.
    Default: for a workflow file, its required fields are filled with sample values."""
    latency_ms: float | None = Field(default=None, ge=0)
    """Overrides the latency of the scripted model, in milliseconds a call."""
    expect: dict[str, ExpectedSpans] = {}
    """Declared span counts by instrument."""


class CellFields(Protocol):
    """What a cell is made of, for matching."""

    @property
    def workflow(self) -> str:
        """Short name of the workflow."""

    @property
    def instrument(self) -> str:
        """Name of the instrument."""

    @property
    def backend(self) -> str | None:
        """Name of the backend; None where nothing is stored."""

    @property
    def delivery(self) -> str | None:
        """Name of the delivery; None where nothing is delivered."""

    @property
    def concurrency(self) -> int:
        """Number of threads that invoke at once."""


class CellSelector(_Model):
    """Names one cell of the matrix; what is left out must be unambiguous within the matrix."""

    workflow: str | None = None
    instrument: str | None = None
    backend: str | None = None
    delivery: str | None = None
    concurrency: int | None = None

    def matches(self, cell: CellFields) -> bool:
        """Whether the cell has every value that this selector names."""
        return all(getattr(cell, field) == value for field, value in self.model_dump(exclude_none=True).items())


class Matrix(_Model):
    """The cells are all combinations of these lists, less `exclude`.

    `off` runs once per workflow and concurrency, without backend and delivery; instruments that export no spans run
    without delivery.
    """

    workflows: Annotated[tuple[MeasuredWorkflow, ...], Field(min_length=1)]
    instruments: Annotated[tuple[str, ...], Field(min_length=1)] = ("off", "legacy_runs", "manual_spans", "autolog")
    backends: Annotated[tuple[str, ...], Field(min_length=1)] = ("file", "sqlite")
    deliveries: Annotated[tuple[str, ...], Field(min_length=1)] = ("mlflow",)
    concurrency: Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1)] = (1,)
    exclude: tuple[CellSelector, ...] = ()


class MeasureSettings(_Model):
    """How each cell is measured."""

    blocks: int = Field(default=6, ge=1, le=1000)
    """How often every cell is measured, each time in a fresh process."""
    invocations: int = Field(default=30, ge=1)
    """Measured invocations per cell and block."""
    warmups: int = Field(default=3, ge=0)
    """Invocations before that, flushed before measuring starts and not counted."""
    seed: int = 20260202
    read_sizes: tuple[Annotated[int, Field(ge=1)], ...] = (100,)
    """Store sizes, in traces, at which reading is measured. Empty: reading is not measured."""
    read_repetitions: int = Field(default=5, ge=1)
    cell_timeout_s: float = Field(default=300.0, gt=0)
    """A cell that takes longer is ended and recorded as failed."""


class RatioCriterion(_Model):
    """candidate / baseline of a metric, per block, against a relative margin."""

    kind: Literal["ratio"]
    id: str
    claim: str
    """The claim that is tested, in words."""
    metric: str
    candidate: CellSelector
    baseline: CellSelector
    margin: float = Field(ge=0)
    """Allowed relative change for the worse: 0.05 = 5%."""


class CountCriterion(_Model):
    """A count of a cell, such as `traces_lost`, that must not exceed `margin` in any block."""

    kind: Literal["count"]
    id: str
    claim: str
    metric: str
    candidate: CellSelector
    margin: int = Field(default=0, ge=0)


Criterion = Annotated[RatioCriterion | CountCriterion, Field(discriminator="kind")]


class Campaign(_Model):
    """A campaign file."""

    schema_version: Literal["1.0"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = ""
    matrix: Matrix
    measure: MeasureSettings = MeasureSettings()
    criteria: tuple[Criterion, ...] = ()
