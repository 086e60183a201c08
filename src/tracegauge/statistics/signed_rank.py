"""The Hodges-Lehmann estimate with the interval and the p-value of Wilcoxon's signed-rank test."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Location:
    """Where the middle of values lies, and how sure that is."""

    estimate: float
    """Hodges-Lehmann: the median of all Walsh averages."""
    interval: tuple[float, float] | None
    """None where there are too few values for an interval that errs as seldom as asked for."""
    n: int
    """Values that it rests on."""


def walsh_averages(values: Values) -> NDArray[np.float64]:
    """The averages of all pairs of values, each value with itself included, in rising order; along the last axis.

    n values have n(n+1)/2 of them (Walsh 1949; Hollander, Wolfe & Chicken 2014, "Nonparametric Statistical Methods",
    3rd ed., section 3.2).
    """
    array = np.asarray(values, dtype=np.float64)
    first, second = np.triu_indices(array.shape[-1])
    # Halved before they are added: the sum of two large values might overflow.
    return np.sort(array[..., first] / 2 + array[..., second] / 2, axis=-1)


def hodges_lehmann(values: Values, alpha: float = 0.025) -> Location:
    """Estimate the centre of symmetry of at least one finite value; each end of the interval errs with `alpha`.

    The estimate is the median of the Walsh averages (Hodges & Lehmann 1963). The interval is the signed-rank test
    turned round (Tukey 1949; Hollander, Wolfe & Chicken 2014, equation 3.27): with the Walsh averages W(1) ≤ … ≤ W(M),
    it is [W(k), W(M+1-k)] for the largest k with P(T ≤ k-1) ≤ alpha, where T is the signed-rank statistic, whose
    distribution is exact here for any n. It covers with at least 1 - 2 alpha whatever the distribution, as long as that
    is symmetric; for the logarithm of a ratio of two cells that are measured alike it is, if neither is slower. With 6
    values and 2.5% the interval is (smallest, largest), which errs with 1/64 on each side; with fewer there is none.

    Raises ValueError for no values, for values that are not finite, or for an alpha outside (0, 0.5).
    """
    array = _finite(values)
    averages = walsh_averages(array)
    k = interval_rank(array.size, alpha)
    interval = (float(averages[k - 1]), float(averages[-k])) if k else None
    return Location(float(np.median(averages)), interval, int(array.size))


def p_above(values: Values, bound: float) -> float:
    """The one-sided p-value of "the centre is at most `bound`": small where the values lie above it.

    The signed-rank statistic is the number of Walsh averages above the bound (Tukey 1949); those that equal it count
    half, rounded down. It is below alpha exactly where the lower end of `hodges_lehmann(values, alpha)` is above the
    bound, ties aside.
    """
    array = _finite(values)
    averages = walsh_averages(array)
    above = int(np.count_nonzero(averages > bound)) + int(np.count_nonzero(averages == bound)) // 2
    # T is symmetric: P(T >= above) = P(T <= M - above)
    return float(_cumulative(array.size)[averages.size - above])


@lru_cache(maxsize=4096)
def interval_rank(n: int, alpha: float) -> int:
    """The largest k for which [W(k), W(M+1-k)] errs with at most `alpha` on each side; 0 if even k = 1 errs more."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha {alpha} is not between 0 and 0.5")
    return int(np.searchsorted(_cumulative(n), alpha, side="right"))


def values_for_interval(alpha: float = 0.025) -> int:
    """The smallest number of values for which there is an interval: 6 at 2.5% on each side."""
    n = 1
    while not interval_rank(n, alpha):
        n += 1
    return n


@lru_cache(maxsize=512)
def _cumulative(n: int) -> NDArray[np.float64]:
    """P(T ≤ t) for t = 0 … n(n+1)/2: each rank 1 … n is added to T with probability 1/2, independently of the
    others."""
    probabilities = np.zeros(n * (n + 1) // 2 + 1)
    probabilities[0] = 1.0
    for rank in range(1, n + 1):
        probabilities[rank:] = (probabilities[rank:] + probabilities[:-rank]) / 2
        probabilities[:rank] /= 2
    return np.minimum(np.cumsum(probabilities), 1.0)


def _finite(values: Values) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError("an estimate needs at least one value, and finite ones")
    return array
