"""The shift between two independent samples, and an interval that also covers what differs between sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, sqrt

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Shift:
    """How far the second sample lies above the first."""

    estimate: float
    half_width: float | None
    """Of the interval of the estimate within these two sessions; None: too few values for one."""


def shift_between(base: Sequence[float], candidate: Sequence[float], confidence: float = CONFIDENCE) -> Shift:
    """The median of all differences candidate - base, with its distribution-free interval (Hodges & Lehmann 1963).

    The interval runs between the k-th smallest and the k-th largest of the m·n differences, where k is the largest for
    which the Mann-Whitney statistic falls below it with probability at most (1 - confidence) / 2 (Moses 1965;
    Hollander, Wolfe & Chicken 2014, "Nonparametric Statistical Methods", 3rd ed., section 4.3). `half_width` is the
    longer of its two arms. At 95% it needs 4 values on each side.

    Raises ValueError for an empty side or values that are not finite.
    """
    differences = np.sort(np.subtract.outer(np.asarray(candidate, float), np.asarray(base, float)), axis=None)
    if not differences.size or not np.isfinite(differences).all():
        raise ValueError("both samples need at least one value, and finite ones")
    estimate = float(np.median(differences))
    k = _rank(len(base), len(candidate), (1 - confidence) / 2)
    if not k:
        return Shift(estimate, None)
    return Shift(estimate, float(max(differences[-k] - estimate, estimate - differences[k - 1])))


def median_half_width(iqr: float, n: int, confidence: float = CONFIDENCE) -> float:
    """Half the width of an interval of a median of which only the quartiles are known.

    The standard error of a median is about 1.253 IQR / (1.349 √n) (McGill, Tukey & Larsen 1978, "Variations of box
    plots"); it takes the values to be independent and roughly normal. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError("a median needs at least one value")
    return float(ndtri((1 + confidence) / 2)) * 1.253 * iqr / (1.349 * sqrt(n))


def spread_of_sessions(values: Sequence[Sequence[float]]) -> float:
    """Standard deviation of the difference between two sessions, from the values of several sessions of the same code.

    `values`: per quantity, one value of each session, at least two. The variances over sessions are averaged over the
    quantities; a difference of two sessions has twice that variance. What varies within the sessions is in it too, so
    that an interval which adds both is rather too wide than too narrow.
    """
    variances = [float(np.var(one, ddof=1)) for one in values if len(one) > 1]
    if not variances:
        raise ValueError("at least two sessions are needed")
    return sqrt(2 * sum(variances) / len(variances))


def widened(half_width: float, session_sd: float, sessions: int | None, confidence: float = CONFIDENCE) -> float:
    """The half-width that covers both: within the sessions and between them, added as independent errors are.

    sqrt(half_width² + (t · session_sd)²): the combined uncertainty of the Guide to the Expression of Uncertainty in
    Measurement (JCGM 100:2008, 5.1). `t` is the two-sided quantile of Student's distribution with `sessions` - 1
    degrees of freedom where the spread is estimated from so many sessions, of the normal distribution where it is given
    (None).
    """
    level = (1 + confidence) / 2
    t = float(ndtri(level) if sessions is None else stdtrit(sessions - 1, level))
    return sqrt(half_width**2 + (t * session_sd) ** 2)


def p_beyond(
    estimate: float, limit: float, half_width: float, sessions: int | None, confidence: float = CONFIDENCE
) -> float:
    """One-sided p-value of "the true value is at most the limit", by the distribution that `half_width` was made with.

    It is below (1 - confidence) / 2 exactly where estimate - half_width is above the limit.
    """
    level = (1 + confidence) / 2
    if not half_width or not isfinite(half_width):
        return float(estimate <= limit) if not half_width else 1.0
    quantile = float(ndtri(level) if sessions is None else stdtrit(sessions - 1, level))
    above = (estimate - limit) / half_width * quantile
    return float(ndtr(-above) if sessions is None else stdtr(sessions - 1, -above))


@lru_cache(maxsize=256)
def _rank(m: int, n: int, alpha: float) -> int:
    """The largest k for which P(Mann-Whitney's U ≤ k - 1) ≤ alpha; 0 if there is none.

    The number of orders with U = u is the coefficient of q^u of the Gaussian binomial (m + n choose m), which is
    multiplied out here: ∏ (1 - q^(n+i)) / (1 - q^i), in exact integers. Beyond 60 values a side the normal
    approximation, with continuity correction, is exact enough.
    """
    if min(m, n) == 0:
        return 0
    if max(m, n) > 60:
        u = m * n / 2 + float(ndtri(alpha)) * sqrt(m * n * (m + n + 1) / 12) - 0.5
        return max(0, int(u) + 1)
    counts = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for u in range(m * n, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, m * n + 1):
            counts[u] += counts[u - i]
    total, below, k = sum(counts), 0, 0
    for count in counts:
        below += count
        if below > alpha * total:
            return k
        k += 1
    return k
