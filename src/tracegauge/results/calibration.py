"""Calibration: how far a judge agrees with people, or with labels written for the purpose."""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.judgement import Value

CALIBRATION_SCHEMA_VERSION: Final = 1
MOCK_NOTE: Final = "mock judge: pipeline rehearsal, not a quality statement"
SYNTHETIC_NOTE: Final = "synthetic labels: written for the purpose, not given by people to what really happened"

LabelSource = Literal["human", "synthetic"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Record):
    """`count` of `n`, with Wilson's 95% interval; None for n = 0."""

    count: int
    n: int
    interval: tuple[float, float] | None

    @property
    def share(self) -> float | None:
        """None for n = 0."""
        return self.count / self.n if self.n else None


class Coefficient(_Record):
    """A coefficient such as kappa."""

    value: float | None
    """None where it is not defined, as kappa is for one class."""
    interval: tuple[float, float] | None
    """95%, bootstrapped; None where it is not defined, or the items say nothing about it: no disagreement at all."""
    n: int
    """Items that it rests on."""


class Disagreement(_Record):
    """An item on which judge and label differ."""

    item: str
    """Trace id, or item of a file."""
    label: Value
    verdict: Value


class Annotators(_Record):
    """What people agree on among themselves: no judge can be expected to do better."""

    count: int
    items: int
    """Items that at least two people labelled."""
    alpha: Coefficient
    """Krippendorff's alpha of the people."""
    kappa: float | None
    """Mean of Cohen's kappa over pairs of people: the ceiling."""
    judge_kappa: float | None
    """Mean of Cohen's kappa over judge and each person: what to hold against the ceiling."""
    ties: int
    """Items without a majority; they count for no agreement with the judge."""


class BothOrders(_Record):
    """Pairwise verdicts in both orders of the two answers."""

    items: int
    """Items with a verdict in both orders."""
    consistent: Share
    """Same verdict on the answers in both orders."""
    first_preferred: Share
    """Of the inconsistent items without a tie: the answer shown first was preferred both times. Half is no bias."""
    correct_in_both: Share
    """Of the labelled items with both orders: the verdict is the label in both."""


class CalibrationRecord(_Record):
    """A judge against labels."""

    schema_version: Literal[1] = CALIBRATION_SCHEMA_VERSION
    judge: str
    digest: str | None
    """Of the judge's file; None where the verdicts come from a file and no judge file was named."""
    made_at: datetime
    labels_from: str
    """Where the labels come from, in words."""
    verdicts_from: str
    label_source: LabelSource
    mock: bool
    """Whether a mock answered."""
    scale: Literal["bool", "categories", "integer", "float", "pairwise"]
    kappa_weights: Literal["none", "linear", "quadratic"]
    categories: tuple[Value, ...] = ()
    """Empty for scale `float`."""
    labelled: int
    """Items with a label."""
    judged: int
    """Of them, with a verdict too: what everything below rests on."""
    missing: int
    """Of them, those that the judge failed on or was not asked about."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """A row for each label, a column for each verdict, in the order of `categories`."""
    accuracy: Share | None
    """Verdict and label are the same; None for scale `float`."""
    kappa: Coefficient
    """Cohen's, with `kappa_weights`; for scale `float`, of passed and not passed."""
    alpha: Coefficient
    """Krippendorff's alpha of judge and labels."""
    mean_error: float | None = None
    """Mean absolute difference of verdict and label, for numbers."""
    tpr: Share | None = None
    """Of the items whose label is good, those that the judge calls good."""
    tnr: Share | None = None
    """Of the items whose label is not good, those that the judge does not call good."""
    base_rate: Share | None = None
    """Labels that are good."""
    judge_rate: Share | None = None
    """Verdicts that are good, on the same items."""
    annotators: Annotators | None = None
    """None for fewer than two people."""
    both_orders: BothOrders | None = None
    """None unless pairwise verdicts were given in both orders."""
    disagreements: tuple[Disagreement, ...] = ()
    minimum_kappa: float | None = None
    """What the judge's file asks for."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting it."""

    @property
    def minimum_met(self) -> bool:
        """Whether kappa is at least what the judge's file asks for; an unknown kappa is not."""
        return self.minimum_kappa is None or (self.kappa.value is not None and self.kappa.value >= self.minimum_kappa)
