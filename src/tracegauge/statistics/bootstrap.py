"""Bootstrap intervals: bias-corrected and accelerated, from items that are drawn again with replacement."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

CONFIDENCE = 0.95
RESAMPLES = 2_000
SEED = 20_260_101
"""The same data give the same interval every time."""
ALLOWED_UNDEFINED = 0.05
"""Share of resamples in which a statistic may be undefined before there is no interval."""

Statistic = Callable[[NDArray[Any]], NDArray[np.float64]]


def count_bootstrap(
    counts: NDArray[Any], statistic: Statistic, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Interval of a statistic of a table of counts, such as kappa of a confusion matrix.

    Drawing n items again is drawing a table from the multinomial distribution with the table's shares. `statistic`
    takes tables of shape (m, *counts.shape) and gives m numbers, NaN where undefined. None as for `bca_interval`.
    """
    table = np.asarray(counts, dtype=np.int64)
    n = int(table.sum())
    if n < 2:
        return None
    flat = table.ravel()
    drawn = np.random.default_rng(SEED).multinomial(n, flat / n, size=resamples).reshape(-1, *table.shape)
    filled = np.flatnonzero(flat)
    left_out = np.tile(flat, (len(filled), 1))
    left_out[np.arange(len(filled)), filled] -= 1
    return bca_interval(
        float(statistic(table[None])[0]),
        statistic(drawn),
        np.repeat(statistic(left_out.reshape(-1, *table.shape)), flat[filled]),
        confidence,
    )


def weight_bootstrap(
    n: int, statistic: Statistic, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Interval of a statistic of n items, such as the difference of paired means.

    `statistic` takes how often each item was drawn, shape (m, n), and gives m numbers. None as for `bca_interval`.
    """
    if n < 2:
        return None
    drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=resamples)
    left_out = np.ones((n, n), dtype=np.int64) - np.eye(n, dtype=np.int64)
    everything = statistic(np.ones((1, n), dtype=np.int64))
    return bca_interval(float(everything[0]), statistic(drawn), statistic(left_out), confidence)


def bca_interval(
    estimate: float, resampled: NDArray[np.float64], left_out: NDArray[np.float64], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The bias-corrected and accelerated interval from resampled values and from those with one item left out.

    None where the estimate is undefined, where more than 5% of the resamples are, or where they do not vary: of a judge
    that never disagreed the bootstrap can't say how seldom it does.
    Efron 1987, "Better bootstrap confidence intervals"; Efron & Tibshirani 1993, "An introduction to the bootstrap",
    section 14.3.
    """
    values = np.sort(resampled[np.isfinite(resampled)])
    if not np.isfinite(estimate) or values.size < (1 - ALLOWED_UNDEFINED) * resampled.size or np.ptp(values) == 0:
        return None
    below = (np.count_nonzero(values < estimate) + np.count_nonzero(values <= estimate)) / (2 * values.size)
    if not 0 < below < 1:
        return None
    bias = ndtri(below)
    deviations = left_out[np.isfinite(left_out)]
    deviations = deviations.mean() - deviations if deviations.size else np.zeros(1)
    spread = float((deviations**2).sum()) ** 1.5
    acceleration = float((deviations**3).sum()) / (6 * spread) if spread else 0.0
    limits = ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    shares = ndtr(bias + (bias + limits) / (1 - acceleration * (bias + limits)))
    low, high = np.quantile(values, shares)
    return float(low), float(high)
