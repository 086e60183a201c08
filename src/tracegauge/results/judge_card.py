"""A judge card: a judge held against itself, by repeats and by changes that should not change its verdict."""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.calibration import Share

CARD_SCHEMA_VERSION: Final = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Perturbation(_Record):
    """A change of what the judge sees that should leave its verdict."""

    name: Literal["formatting", "padding", "swapped"]
    description: str
    changed: Share | None
    """Contents on which the verdict became another; None where the change can't be made."""
    mean_shift: float | None = None
    """Mean difference of the verdicts, changed less unchanged: of good verdicts as 1 and others as 0, or of numbers."""
    shift_interval: tuple[float, float] | None = None
    """95% interval of the mean shift."""
    why_not: str | None = None
    """Why the change can't be made."""


class LengthSlope(_Record):
    """How a verdict goes with the length of the answer."""

    slope: float | None
    """Change of the verdict, of good ones as 1 and others as 0 or of numbers, for an answer twice as long."""
    interval: tuple[float, float] | None
    """95%."""
    n: int
    against_labels: bool
    """Whether the label was subtracted from each verdict, so that longer answers may well be better."""


class JudgeCard(_Record):
    """What an audit found."""

    schema_version: Literal[1] = CARD_SCHEMA_VERSION
    judge: str
    digest: str
    kind: str
    model: str | None
    """As the judge's file names it; None for code."""
    answered_by: tuple[str, ...]
    """The models that answered, as they call themselves."""
    made_at: datetime
    contents_from: str
    """Where the contents come from, in words."""
    mock: bool
    contents: int
    """Contents that were judged."""
    repeats: int
    """How often each was judged unchanged."""
    flips: Share
    """Of the contents with at least two verdicts: not all repeats said the same."""
    repeat_disagreement: float | None
    """Chance that two repeats of one content differ; numbers that are held against perturbations."""
    perturbations: tuple[Perturbation, ...]
    length: LengthSlope | None
    """None where the judge sees no answer, or its values are not numbers and the file does not say which are good."""
    parse_failures: Share
    """Of all judgements: answers that fit neither form nor type, after one repair."""
    failures: dict[str, int]
    """Failed judgements by kind, parse failures included."""
    judgements: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Of all judgements; None where the price is not known."""
    warnings: tuple[str, ...] = ()

    @property
    def cost_per_1000_usd(self) -> float | None:
        """For a thousand judgements; None where the price is not known."""
        return None if self.cost_usd is None or not self.judgements else 1000 * self.cost_usd / self.judgements
