"""Verdicts: what the gate says of each criterion and of the whole campaign."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

VERDICT_SCHEMA_VERSION: Final = 2

CriterionKind = Literal["ratio", "difference", "limit", "count"]
CriterionRole = Literal["criterion", "control_aa", "control_injected"]


class Verdict(StrEnum):
    """The three things that a gate can say."""

    PASS = "PASS"
    REGRESSED = "REGRESSED"
    INCONCLUSIVE = "INCONCLUSIVE"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CriterionVerdict(_Record):
    """The evidence for or against one criterion, or one control, and the verdict on it."""

    id: str
    role: CriterionRole = "criterion"
    claim: str
    """What is claimed, in words."""
    source: str | None = None
    """Where the claim is made, such as a section of a decision record."""
    kind: CriterionKind
    metric: str
    candidate: str
    """Cell id."""
    baseline: str | None = None
    """Cell id; None for `limit` and `count`."""
    margin: float
    """As in `CriterionRecord`."""
    absolute_margin: float | None = None
    """As in `CriterionRecord`."""
    bound: float
    """What the estimate must not exceed, in the estimate's own scale: 1.05 for a `ratio` with a margin of 5%, the
    margin of a `difference`, the limit, the allowed count. A `limit` of which higher is better must be reached."""
    blocks: int
    """Blocks that the estimate rests on."""
    blocks_measured: int
    """Blocks that were measured up to the look at which this was decided."""
    blocks_planned: int
    block_numbers: tuple[int, ...] = ()
    """The blocks that the estimate rests on; the three tuples below are as long."""
    block_values: tuple[float, ...] = ()
    """candidate / baseline for `ratio`, candidate - baseline for `difference`, else the candidate's value; turned round
    (baseline / candidate, baseline - candidate) where higher is better. With an absolute margin a ratio is stated
    against the bound of the median block: multiplied by that bound and divided by the block's own."""
    candidate_values: tuple[float, ...] = ()
    """In the metric's own unit."""
    baseline_values: tuple[float, ...] = ()
    """In the metric's own unit; empty without a baseline."""
    estimate: float | None = None
    """Hodges-Lehmann estimate over `block_values`, of their logarithms for a `ratio`; for a `count` the largest."""
    interval: tuple[float, float] | None = None
    """Interval of the estimate that holds at all looks together with `confidence`; None for a `count`, or where there
    are too few blocks for one."""
    confidence: float = 0.95
    """Two-sided; each side errs with half of what is left."""
    p_regressed: float | None = None
    """One-sided p-value of "no worse than the bound", over all looks so far; None where nothing is estimated."""
    p_holm: float | None = None
    """The same after Holm's correction over all criteria of the campaign that are estimated; of a control as above."""
    detectable: float | None = None
    """Minimal detectable effect: the smallest true value, in the estimate's scale, that so many blocks of such a spread
    would find to be beyond the bound in 80% of campaigns."""
    blocks_needed: int | None = None
    """INCONCLUSIVE: how many blocks in all would probably decide, if the estimate stays as it is. None: no number of
    blocks that can be foreseen."""
    candidate_median: float | None = None
    baseline_median: float | None = None
    """Medians over blocks, in the metric's own unit."""
    verdict: Verdict
    reason: str
    """Why this verdict, in one sentence with the numbers."""

    @property
    def named(self) -> bool:
        """Whether it can be named as regressed beside all other criteria of the campaign: REGRESSED after Holm's
        correction too, so that naming all such criteria names a wrong one with at most 2.5%."""
        if self.verdict is not Verdict.REGRESSED:
            return False
        return self.p_holm is None or self.p_holm <= (1 - self.confidence) / 2 + 1e-12


class CampaignVerdict(_Record):
    """The verdict over all criteria of a campaign: the content of `verdict.json`."""

    schema_version: Literal[2] = VERDICT_SCHEMA_VERSION
    campaign: str
    verdict: Verdict
    """INCONCLUSIVE if it is not trusted; else REGRESSED if any criterion is, else INCONCLUSIVE if any is (or there is
    none), else PASS."""
    trusted: bool = True
    """False: a control came out wrong, so that the numbers mean nothing, whatever they say."""
    reasons: tuple[str, ...] = ()
    """Why it is not trusted, or underpowered: a sentence for each control that did not come out as it should."""
    criteria: tuple[CriterionVerdict, ...]
    controls: tuple[CriterionVerdict, ...] = ()
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting it, such as cells that lost traces."""
