"""Campaign files: which cells are measured, how, and what is claimed of them."""

from typing import Annotated, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


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
    deliveries: Annotated[tuple[str, ...], Field(min_length=1)] = ("lossless",)
    concurrency: Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1)] = (1,)
    exclude: tuple[CellSelector, ...] = ()


class Sequential(_Model):
    """Adding blocks until every criterion is decided.

    The criteria are looked at after fixed numbers of blocks; the error rate is spent over the looks, so that looking
    often does not make false alarms more frequent.
    """

    looks: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1)] = (
        8,
        11,
        15,
        20,
        27,
        36,
        48,
    )
    """Numbers of blocks after which it is looked, in rising order. The last one is the budget of blocks."""
    budget_s: float | None = Field(default=None, gt=0)
    """Budget of time: no further block is begun after so many seconds of measuring blocks."""

    @field_validator("looks")
    @classmethod
    def _rising(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if list(looks) != sorted(set(looks)):
            raise ValueError("the looks must rise: each a larger number of blocks than the one before")
        return looks


class MeasureSettings(_Model):
    """How each cell is measured."""

    blocks: int = Field(default=8, ge=1, le=1000)
    """How often every cell is measured, each time in a fresh process; not used where `sequential` is given."""
    sequential: Sequential | None = None
    """Add blocks until every criterion is decided, instead of a fixed number."""
    invocations: int = Field(default=30, ge=1)
    """Measured invocations per cell and block."""
    warmups: int = Field(default=3, ge=0)
    """Invocations before that, flushed before measuring starts and not counted."""
    seed: int = 20260202
    read_sizes: tuple[Annotated[int, Field(ge=1)], ...] = (100,)
    """Store sizes, in traces, at which reading is measured. Empty: reading is not measured."""
    read_cells: tuple[CellSelector, ...] = ()
    """Cells that reading is measured of; a selector may name several. Empty: of all that store something."""
    read_repetitions: int = Field(default=5, ge=1)
    cell_timeout_s: float = Field(default=300.0, gt=0)
    """A cell that takes longer is ended and recorded as failed."""

    def within(self, budget_s: float) -> "MeasureSettings":
        """The same, but adding blocks until every criterion is decided, for at most so many seconds."""
        plan = self.sequential or Sequential()
        return self.model_copy(update={"sequential": plan.model_copy(update={"budget_s": budget_s})})

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of blocks after which the criteria are looked at: one for a fixed number of blocks."""
        return self.sequential.looks if self.sequential else (self.blocks,)

    @property
    def most_blocks(self) -> int:
        """The most blocks that are measured."""
        return self.looks[-1]


class _Criterion(_Model):
    """What every criterion has."""

    id: str = Field(min_length=1)
    claim: str
    """The claim that is tested, in words."""
    source: str | None = None
    """Where the claim is made, such as a section of a decision record."""
    metric: str
    candidate: CellSelector


class _PairCriterion(_Criterion):
    """What criteria have that compare two cells."""

    baseline: CellSelector
    baseline_may_fail: tuple[Literal["lost_traces", "missing_spans", "wrong_span_count", "orphan_spans"], ...] = ()
    """Failures of the baseline that don't make its numbers useless for this comparison; all others do. A baseline that
    loses traces has done less work, so for a claim of "no worse" it is the stricter one. Its failed blocks are named
    with the verdict. Default: none."""


class RatioCriterion(_PairCriterion):
    """candidate / baseline of a metric, per block, against a relative margin or a promised reduction."""

    kind: Literal["ratio"]
    margin: float | None = Field(default=None, ge=0)
    """Allowed relative change for the worse: 0.05 = 5%."""
    absolute_margin: float | None = Field(default=None, gt=0)
    """Allowed change for the worse in the metric's own unit, beside the relative one: the more generous counts."""
    reduction: float | None = Field(default=None, gt=0, lt=1)
    """Instead of a margin: the claim is that the candidate is better by at least this share: 0.3 = 30% less."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if self.reduction is None and self.margin is None:
            raise ValueError("a ratio needs the key 'margin', or 'reduction' for a promised improvement")
        if self.reduction is not None and (self.margin is not None or self.absolute_margin is not None):
            raise ValueError("a `reduction` stands instead of a margin: leave one of them out")
        return self


class DifferenceCriterion(_PairCriterion):
    """candidate - baseline of a metric, per block, against a margin in the metric's own unit."""

    kind: Literal["difference"]
    margin: float = Field(ge=0)
    """Allowed change for the worse in the metric's own unit: 1 = 1 ms for a time."""


class LimitCriterion(_Criterion):
    """A metric of one cell against a constant."""

    kind: Literal["limit"]
    limit: float = Field(ge=0)
    """In the metric's own unit: the largest allowed value, or the smallest where higher is better."""


class CountCriterion(_Criterion):
    """A count of a cell, such as `traces_lost`, that must not exceed `margin` in any block."""

    kind: Literal["count"]
    margin: int = Field(default=0, ge=0)


Criterion = Annotated[
    RatioCriterion | DifferenceCriterion | LimitCriterion | CountCriterion, Field(discriminator="kind")
]


class Controls(_Model):
    """Two cells that are added to every campaign that judges times, to see whether its verdicts can be trusted.

    One is a cell of the matrix measured a second time (A/A), the other the same cell slowed down on purpose. A campaign
    that finds the first slower, or passes the second, is not trusted.
    """

    cell: CellSelector | None = None
    """The cell of the matrix that both repeat. Default: the candidate of the first `ratio` criterion of a time."""
    metric: str | None = None
    """The metric that both are judged by. Default: the median of the caller's latency."""
    margin: float | None = Field(default=None, gt=0)
    """Default: the margin of the criterion that the cell is taken from; 0.05 where that has none."""
    slowdown: float | None = Field(default=None, gt=0)
    """Share by which the second one's invocations are slowed down. Default: twice the margin."""


class Campaign(_Model):
    """A campaign file."""

    schema_version: Literal["1.0"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = ""
    matrix: Matrix
    measure: MeasureSettings = MeasureSettings()
    criteria: tuple[Criterion, ...] = ()
    controls: Controls = Controls()
