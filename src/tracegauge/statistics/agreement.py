"""How far two raters, or several, agree beyond chance: Cohen's kappa and Krippendorff's alpha."""

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Weights = Literal["none", "linear", "quadratic"]
"""What a disagreement costs: `none`: all the same; else by how many steps apart the values are, or the square of it."""
Level = Literal["nominal", "ordinal", "interval"]
"""Level of measurement: values without order, with an order, or with distances."""


def confusion_matrix(
    labels: Sequence[Hashable], verdicts: Sequence[Hashable], categories: Sequence[Hashable]
) -> NDArray[np.int64]:
    """Counts of shape (k, k) for k categories: a row for each label, a column for each verdict, in their order.

    Raises ValueError for lists of different lengths or a value that is none of the categories.
    """
    if len(labels) != len(verdicts):
        raise ValueError(f"{len(labels)} labels and {len(verdicts)} verdicts do not pair")
    place = {category: index for index, category in enumerate(categories)}
    counts = np.zeros((len(categories), len(categories)), dtype=np.int64)
    try:
        for label, verdict in zip(labels, verdicts, strict=True):
            counts[place[label], place[verdict]] += 1
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is none of the categories") from None
    return counts


def cohen_kappa(confusion: NDArray[Any], weights: Weights = "none") -> NDArray[np.float64]:
    """Cohen's kappa of one confusion matrix, or of many at once: shape (..., k, k) gives shape (...).

    1 - (observed disagreement) / (disagreement expected by chance from both raters' shares); 1 is perfect, 0 is what
    chance gives. NaN where chance can't disagree: both raters said one and the same thing only.
    Cohen 1960, "A coefficient of agreement for nominal scales"; with weights: Cohen 1968, "Weighted kappa".
    """
    counts = np.asarray(confusion, dtype=np.float64)
    cost = _cost(counts.shape[-1], weights)
    rows, columns = counts.sum(axis=-1), counts.sum(axis=-2)
    expected = np.einsum("...i,ij,...j->...", rows, cost, columns)
    observed = np.einsum("...ij,ij->...", counts, cost) * counts.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(expected > 0, 1 - observed / expected, np.nan), dtype=np.float64)


def krippendorff_alpha(value_counts: NDArray[Any], values: Sequence[float], level: Level) -> float:
    """Krippendorff's alpha of any number of raters, of whom each may have rated only some units.

    `value_counts` has shape (units, k): how many raters said each of the k values, which ascend in `values` (their
    positions for categories without distances). Units that fewer than two have rated do not count. NaN where no unit
    has two ratings, or where all ratings are the same.
    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".
    """
    import krippendorff

    counts = np.asarray(value_counts, dtype=np.int64)
    counts = counts[counts.sum(axis=1) >= 2]
    used = counts.sum(axis=0) > 0
    if np.count_nonzero(used) < 2:
        return float("nan")
    return float(
        krippendorff.alpha(
            value_counts=counts[:, used],
            value_domain=np.asarray(values, dtype=np.float64)[used],
            level_of_measurement=level,
        )
    )


def _cost(size: int, weights: Weights) -> NDArray[np.float64]:
    positions = np.arange(size)
    steps: NDArray[np.float64] = np.abs(positions[:, None] - positions[None, :]).astype(np.float64)
    return steps ** {"none": 0, "linear": 1, "quadratic": 2}[weights] * (steps > 0)
