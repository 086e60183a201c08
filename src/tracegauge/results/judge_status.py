"""Where a judge stands: which traces are due, scored, failed or skipped, and what its scores say."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.calibration import Share
from tracegauge.results.judgement import Value


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FailureCount(_Record):
    """Failures of one kind."""

    kind: str
    """See `tracegauge.results.judgement.FailureKind`; and `not_written`, `not_read`, `gone` for what the store did."""
    count: int
    example: str
    """The message of the latest one."""
    next_try: datetime | None
    """When the first of them is tried again; None: never, as it could not help."""


class ValueCount(_Record):
    """How often a judge said a value."""

    value: Value
    count: int


class NumberSummary(_Record):
    """What numbers a judge said, over what it scored; what failed is in no mean."""

    n: int
    mean: float
    interval: tuple[float, float] | None
    """95%, of the mean, from its standard error; None for fewer than two."""
    minimum: float
    maximum: float


class TrendPoint(_Record):
    """The traces of one span of time, by when they began."""

    start: datetime
    """UTC."""
    due: int
    scored: int
    failed: int
    passed: int | None
    """None where the judge's file does not say which verdicts are good."""
    mean: float | None
    """Of numbers; None for other values and where nothing is scored."""


class Corrected(_Record):
    """The pass rate corrected for the judge's errors (Rogan-Gladen), or why it is not."""

    rate: float | None
    interval: tuple[float, float] | None
    """95%."""
    why_not: str | None = None


class JudgeStatus(_Record):
    """One judge (by digest) over the traces that it is to judge. Units are traces, or sessions for conversations."""

    judge: str
    digest: str
    kind: Literal["llm", "builtin", "guidelines", "code", "panel"]
    description: str = ""
    scope: Literal["trace", "session"]
    value_type: Literal["bool", "categories", "integer", "float", "text"]
    model: str | None
    """As the judge's file names it; None for code and panels."""
    sampling_rate: float
    seen: int
    """Traces that fit the judge's filter and age: due and sampled out together."""
    sampled_out: int
    due: int
    """To be scored: scored, failed, skipped and waiting together."""
    scored: int
    failed: int
    skipped_by_budget: int
    waiting: int
    """Due, and not tried yet."""
    coverage: Share
    """Scored of due."""
    passed: Share | None
    """Good verdicts of those scored; None where the judge's file does not say which are good."""
    pass_bounds: tuple[float, float] | None
    """The pass rate over all that is due, if everything that is not scored were bad, and if it were good."""
    corrected: Corrected | None
    """None where there is no pass rate."""
    distribution: tuple[ValueCount, ...] = ()
    """The most frequent values first; empty for numbers with a fraction and for texts."""
    numbers: NumberSummary | None = None
    failures: tuple[FailureCount, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    trend_step: Literal["minute", "hour", "day"] = "day"
    calls: int
    """Requests to a model, those of failed judgements included."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where the price of a call is not known."""
    cached: int
    """Scores that were taken from an equal content's earlier verdict, without a call."""
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    last_scored_at: datetime | None
    mock: bool
    """Whether a mock gave any of the verdicts."""
    labels: tuple[str, ...] = ()
    """What must stand wherever these scores are shown, such as that a mock gave them."""
