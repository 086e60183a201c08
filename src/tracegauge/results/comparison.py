"""Two saved runs compared: what `tracegauge compare` finds, and what its `--json` prints."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.verdict import Verdict

COMPARISON_SCHEMA_VERSION: Final = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Machine(_Record):
    """What a run was measured on, as far as it says so."""

    host: str | None = None
    cpu_model: str | None = None
    cpu_cores: int | None = None


class RunRef(_Record):
    """One of the two runs."""

    path: str
    kind: Literal["campaign", "pytest-benchmark"]
    measured_at: str | None = None
    commit: str | None = None
    machine: Machine | None = None
    """None: the run doesn't say."""


class Spread(_Record):
    """By how much two runs of the same code differ from each other."""

    session_sd: float
    """Standard deviation of the logarithm of the ratio of two runs."""
    source: Literal["saved campaigns", "default"]
    sessions: int | None = None
    """How many runs it is estimated from; None for the default."""
    explanation: str
    """Where it comes from, in one sentence."""


class ComparedMetric(_Record):
    """One metric of one id in both runs, and the verdict on it."""

    id: str
    """In the candidate."""
    base_id: str
    """In the base; another one where it was renamed."""
    metric: str
    unit: str
    base_median: float | None = None
    candidate_median: float | None = None
    base_n: int
    """Blocks, or rounds, that stand behind the median."""
    candidate_n: int
    values: Literal["blocks", "rounds"]
    """Blocks are fresh processes; the rounds of pytest-benchmark share one process, and count as one."""
    estimate: float | None = None
    """candidate / base."""
    interval: tuple[float, float] | None = None
    """95% interval of the estimate, widened by the spread between runs."""
    p_holm: float | None = None
    """p-value of "not above the margin", corrected for all rows of the comparison (Holm)."""
    verdict: Verdict
    reason: str
    """Why this verdict, in one sentence with the numbers."""


class Comparison(_Record):
    """The whole comparison."""

    schema_version: Literal[1] = COMPARISON_SCHEMA_VERSION
    base: RunRef
    candidate: RunRef
    margin: float
    """Allowed relative change for the worse: 0.15 = 15%."""
    spread: Spread
    rows: tuple[ComparedMetric, ...]
    missing: tuple[str, ...] = ()
    """Ids of the base that the candidate has not."""
    new: tuple[str, ...] = ()
    """Ids of the candidate that the base has not."""
    same_machine: bool | None = None
    """None: it can't be told."""
    refused: bool = False
    """The runs come from different machines, and that was not allowed: the verdict must not be acted upon."""
    warnings: tuple[str, ...] = ()
    verdict: Verdict
    """REGRESSED if any row is, else INCONCLUSIVE if any is or an id is missing, else PASS."""
