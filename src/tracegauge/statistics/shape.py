"""What makes an estimate doubtful: two modes instead of one, and a trend."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BIMODAL = 5 / 9
"""The coefficient of the uniform distribution: above it, two modes (or strong skew) are likely."""


def bimodality(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Sarle's bimodality coefficient of at least 4 values, with the correction for few: 1/3 for a normal distribution,
    5/9 for a uniform one, up to 1 for two separate points; 0 where all are equal.

    (skewness² + 1) / (excess kurtosis + 3 (n-1)² / ((n-2)(n-3))), of the unbiased moments (SAS Institute 1990; Pfister
    et al. 2013, "Good things peak in pairs").
    """
    x = np.asarray(values, dtype=np.float64)
    n = x.size
    if n < 4:
        raise ValueError("the bimodality coefficient needs at least 4 values")
    centred = x - x.mean()
    variance = float(np.mean(centred**2))
    if variance <= (1e-12 * max(1.0, float(np.abs(x).max()))) ** 2:
        return 0.0
    skewness = float(np.mean(centred**3)) / variance**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (float(np.mean(centred**4)) / variance**2 - 3) + 6)
    return float((skewness**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


def trend(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Whether values drift with their position: the p-value of no trend, and the slope per step.

    The test is Mann's (1945; Kendall's tau between value and position), the slope that of Theil and Sen (1968). At
    least 3 values; (1, 0) where all are equal.
    """
    from scipy import stats

    x = np.asarray(values, dtype=np.float64)
    if np.ptp(x) == 0:
        return 1.0, 0.0
    positions = np.arange(x.size)
    return float(stats.kendalltau(positions, x).pvalue), float(stats.theilslopes(x, positions).slope)
