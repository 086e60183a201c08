"""The share of good items, corrected for how often a judge errs."""

import math
from dataclasses import dataclass

from tracegauge.statistics.proportions import CONFIDENCE, quantile

MINIMUM_LABELS = 10
"""Labelled items of each class, below which the judge's errors are not known well enough."""
MINIMUM_YOUDEN = 0.2
"""TPR + TNR - 1 below which a verdict says too little: the correction divides by it."""


@dataclass(frozen=True)
class CorrectedRate:
    """A share corrected for the judge's errors, with its interval; both inside [0, 1]."""

    rate: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class NotCorrectable:
    """Why a share is not corrected."""

    reason: str


def corrected_rate(
    passed: int,
    judged: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    confidence: float = CONFIDENCE,
) -> CorrectedRate | NotCorrectable:
    """What share of items is good, if a judge passed `passed` of `judged`.

    The judge passed `true_positives` of the `positives` items that people call good, and failed `true_negatives` of the
    `negatives` others. The estimate is (share + TNR - 1) / (TPR + TNR - 1): Rogan & Gladen 1978, "Estimating prevalence
    from the results of a screening test". The interval takes in that all three shares are estimates: Lang & Reiczigel
    2014, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity".
    Refused with fewer than 10 labels of a class, or where TPR + TNR is below 1.2: too near to 1, where a judge guesses.
    """
    if judged == 0:
        return NotCorrectable("nothing has been judged")
    if min(positives, negatives) < MINIMUM_LABELS:
        return NotCorrectable(
            f"{positives} labels are good and {negatives} are not; at least {MINIMUM_LABELS} of each are needed"
        )
    tpr, tnr = true_positives / positives, true_negatives / negatives
    if tpr + tnr - 1 < MINIMUM_YOUDEN:
        return NotCorrectable(
            f"TPR {tpr:.2f} + TNR {tnr:.2f} is too near to 1, where verdicts say nothing: "
            f"at least {1 + MINIMUM_YOUDEN} is needed"
        )
    rate = (passed / judged + tnr - 1) / (tpr + tnr - 1)
    return CorrectedRate(
        min(1.0, max(0.0, rate)),
        corrected_rate_interval(passed, judged, true_positives, positives, true_negatives, negatives, confidence),
    )


def corrected_rate_interval(
    passed: int,
    judged: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """The interval of Lang & Reiczigel 2014 (their adjusted Wald interval with shift), cut at 0 and 1."""
    z = quantile(confidence)
    n, n_tpr, n_tnr = judged + z * z, positives + 2, negatives + 2
    share, tpr, tnr = (passed + z * z / 2) / n, (true_positives + 1) / n_tpr, (true_negatives + 1) / n_tnr
    youden = tpr + tnr - 1
    rate = (share + tnr - 1) / youden
    of_tpr, of_tnr = tpr * (1 - tpr) / n_tpr, tnr * (1 - tnr) / n_tnr
    error = math.sqrt(share * (1 - share) / n + rate**2 * of_tpr + (1 - rate) ** 2 * of_tnr) / abs(youden)
    centre = rate + 2 * z * z * (rate * of_tpr - (1 - rate) * of_tnr)
    return min(1.0, max(0.0, centre - z * error)), min(1.0, max(0.0, centre + z * error))
