"""What a campaign set out to measure and to claim: the content of `campaign.json`."""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from tracegauge.results.against import Against
from tracegauge.results.cell import Cell

CAMPAIGN_RECORD_SCHEMA_VERSION: Final = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CriterionRecord(_Record):
    """A criterion of the campaign file with its cells found in the matrix."""

    id: str
    claim: str
    """What is claimed, in words."""
    kind: Literal["ratio", "count"]
    metric: str
    candidate: str
    """Cell id."""
    baseline: str | None = None
    """Cell id; None for a `count`."""
    margin: float = Field(ge=0)
    """For `ratio`: the allowed relative change for the worse (0.05 = 5%). For `count`: the largest allowed count."""

    @model_validator(mode="after")
    def _ratio_has_baseline(self) -> Self:
        if (self.kind == "ratio") != (self.baseline is not None):
            raise ValueError(f"criterion {self.id!r}: a `ratio` has a baseline, a `count` has none")
        return self


class CampaignRecord(_Record):
    """A campaign as it was started: what is planned, what is claimed, and how to do it again."""

    schema_version: Literal[1] = CAMPAIGN_RECORD_SCHEMA_VERSION
    name: str
    description: str = ""
    started_at: str
    """UTC, ISO 8601."""
    command: str
    """The exact command line that measures it again."""
    cells: tuple[Cell, ...]
    """In the order of the matrix, which is the order of every table and figure."""
    blocks: int = Field(ge=1)
    """Blocks planned."""
    invocations: int = Field(ge=1)
    """Measured invocations per cell and block."""
    criteria: tuple[CriterionRecord, ...] = ()
    against: Against | None = None
    """What the cells of the other environment are; None for a campaign of one environment."""
    settings: dict[str, JsonValue] = {}
    """The whole campaign file as it was understood, defaults included."""
