"""Verdicts: what the gate says of each criterion and of the whole campaign."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

VERDICT_SCHEMA_VERSION: Final = 1


class Verdict(StrEnum):
    """The three things that a gate can say."""

    PASS = "PASS"
    REGRESSED = "REGRESSED"
    INCONCLUSIVE = "INCONCLUSIVE"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CriterionVerdict(_Record):
    """One criterion's evidence and verdict."""

    id: str
    claim: str
    """What is claimed, in words."""
    kind: Literal["ratio", "count"]
    metric: str
    candidate: str
    """Cell id."""
    baseline: str | None = None
    """Cell id; None for a `count`."""
    margin: float
    """For `ratio`: the allowed relative increase (0.05 = 5%). For `count`: the largest allowed count in a block."""
    blocks: int
    """Blocks that the estimate rests on."""
    blocks_planned: int
    block_values: tuple[float, ...] = ()
    """Per block: candidate / baseline for `ratio`, the count for `count`."""
    estimate: float | None = None
    """Median of `block_values` (`ratio`), their largest (`count`)."""
    interval: tuple[float, float] | None = None
    """95% interval of the estimate; None for a `count`, or where there are too few blocks for one."""
    candidate_median: float | None = None
    baseline_median: float | None = None
    """Medians over blocks, in the metric's own unit."""
    verdict: Verdict
    reason: str
    """Why this verdict, in one sentence with the numbers."""


class CampaignVerdict(_Record):
    """The verdict over all criteria of a campaign: the content of `verdict.json`."""

    schema_version: Literal[1] = VERDICT_SCHEMA_VERSION
    campaign: str
    verdict: Verdict
    """REGRESSED if any criterion is, else INCONCLUSIVE if any is (or there is none), else PASS."""
    criteria: tuple[CriterionVerdict, ...]
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting it, such as cells that lost traces."""
