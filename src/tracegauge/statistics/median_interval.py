"""The median with a distribution-free confidence interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr  # P(B ≤ k); scipy.stats has it too, but takes a second to import

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A median over blocks and how sure it is."""

    median: float
    interval: tuple[float, float] | None
    """None where there are too few values for an interval of the confidence asked for."""
    n: int
    """Values that it rests on."""


def median_with_interval(values: Sequence[float] | NDArray[np.float64], confidence: float = CONFIDENCE) -> Estimate:
    """The median of at least one finite value, with the narrowest symmetric interval of order statistics.

    The interval [x(k), x(n+1-k)] covers the median of any continuous distribution with probability
    1 - 2 P(B ≤ k-1), B ~ Binomial(n, 1/2): it is the sign test turned round (Conover 1999, "Practical Nonparametric
    Statistics", 3rd ed., section 3.2; Gibbons & Chakraborti, "Nonparametric Statistical Inference", section 5.2).
    k is the largest for which that is at least `confidence`. With 6 values at 95% the interval is (smallest, largest),
    which covers the median with 96.9%; with fewer there is none.

    Raises ValueError for no values, for values that are not finite, or for a confidence outside (0, 1).
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.size == 0 or not np.isfinite(ordered).all():
        raise ValueError("a median needs at least one value, and finite ones")
    k = _rank(ordered.size, confidence)
    interval = (float(ordered[k - 1]), float(ordered[-k])) if k else None
    return Estimate(float(np.median(ordered)), interval, int(ordered.size))


def blocks_for_interval(confidence: float = CONFIDENCE) -> int:
    """The smallest number of values for which `median_with_interval` gives an interval: 6 at 95%."""
    n = 1
    while not _rank(n, confidence):
        n += 1
    return n


@lru_cache(maxsize=1024)
def _rank(n: int, confidence: float) -> int:
    """The largest k for which [x(k), x(n+1-k)] has the confidence asked for; 0 if even k = 1 has not."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    return int(np.count_nonzero(bdtr(np.arange(n), n, 0.5) <= (1 - confidence) / 2))
