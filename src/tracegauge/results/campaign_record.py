"""What a campaign set out to measure and to claim: the content of `campaign.json`."""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from tracegauge.results.against import Against
from tracegauge.results.cell import Cell
from tracegauge.results.sample import FailureKind
from tracegauge.results.verdict import CriterionKind, CriterionRole

CAMPAIGN_RECORD_SCHEMA_VERSION: Final = 2


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CriterionRecord(_Record):
    """A criterion of the campaign file, or a control, with its cells found in the matrix."""

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
    """`ratio`: the allowed relative change for the worse (0.05 = 5%), negative for a promised reduction (-0.3 = 30%
    less). `difference`: the allowed change for the worse in the metric's unit. `limit`: the limit. `count`: the largest
    allowed count."""
    absolute_margin: float | None = None
    """`ratio`: an allowed change in the metric's own unit beside the relative one; the more generous counts."""
    baseline_may_fail: tuple[FailureKind, ...] = ()
    """Failures in spite of which a measured block of the baseline is used."""

    @model_validator(mode="after")
    def _pairs_have_baseline(self) -> Self:
        if (self.kind in ("ratio", "difference")) != (self.baseline is not None):
            raise ValueError(
                f"criterion {self.id!r}: `ratio` and `difference` have a baseline, `limit` and `count` none"
            )
        return self


class CampaignRecord(_Record):
    """A campaign as it was started: what is planned, what is claimed, and how to do it again."""

    schema_version: Literal[2] = CAMPAIGN_RECORD_SCHEMA_VERSION
    name: str
    description: str = ""
    started_at: str
    """UTC, ISO 8601."""
    command: str
    """The exact command line that measures it again."""
    cells: tuple[Cell, ...]
    """In the order of the matrix, which is the order of every table and figure."""
    blocks: int = Field(ge=1)
    """Blocks planned; for a sequential campaign, the most that it may take."""
    looks: tuple[int, ...] = ()
    """Sequential: the numbers of blocks after which the criteria are looked at. Empty: once, after `blocks`."""
    invocations: int = Field(ge=1)
    """Measured invocations per cell and block."""
    criteria: tuple[CriterionRecord, ...] = ()
    against: Against | None = None
    """What the cells of the other environment are; None for a campaign of one environment."""
    controls: tuple[CriterionRecord, ...] = ()
    """The A/A pair and the injected slowdown, as criteria; empty for a campaign that judges no times."""
    settings: dict[str, JsonValue] = {}
    """The whole campaign file as it was understood, defaults included."""
