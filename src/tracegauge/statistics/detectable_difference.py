"""The smallest difference that a comparison of this size would find."""

import math

from scipy.special import ndtri

ALPHA = 0.05
POWER = 0.8


def detectable_difference(standard_error: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """The difference that a two-sided test at `alpha` finds with probability `power`, in the unit of the error.

    (z(1 - α/2) + z(power)) × standard error: 2.80 standard errors for 5% and 80%, by the normal approximation.
    Bloom 1995, "Minimum detectable effects"; for paired proportions, Connor 1987, "Sample size for testing differences
    in proportions for the paired-sample design". Raises ValueError for what is no probability or error.
    """
    if not (0 < alpha < 1 and 0 < power < 1 and standard_error >= 0):
        raise ValueError(f"no probabilities, or no error: {alpha}, {power}, {standard_error}")
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * standard_error


def paired_standard_error(gained: int, lost: int, n: int) -> float:
    """Standard error of a difference of paired proportions if there is none, from the share of items that changed.

    Half an item is added to each cell, so that it is not 0 where by chance none changed. n is at least 1.
    """
    return math.sqrt((gained + lost + 2) / (n + 2) / (n + 2))


def unpaired_standard_error(count_a: int, n_a: int, count_b: int, n_b: int) -> float:
    """Standard error of a difference of two independent proportions if there is none; an item is added to each cell."""
    share = (count_a + count_b + 2) / (n_a + n_b + 4)
    return math.sqrt(share * (1 - share) * (1 / n_a + 1 / n_b))
