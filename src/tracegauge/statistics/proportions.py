"""Intervals of a proportion and of the difference of two."""

import math

from scipy.special import ndtri

CONFIDENCE = 0.95

Interval = tuple[float, float]


def wilson_interval(count: int, n: int, confidence: float = CONFIDENCE) -> Interval | None:
    """The score interval of a proportion `count` of `n`; None for n = 0. Inside [0, 1] and sound for shares of 0 and 1.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference"; recommended by Brown, Cai &
    DasGupta 2001, "Interval estimation for a binomial proportion". Raises ValueError for counts outside 0…n.
    """
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is no proportion")
    if n == 0:
        return None
    z = quantile(confidence)
    share = count / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if count == 0 else centre - half, 1.0 if count == n else centre + half)


def paired_difference_interval(gained: int, lost: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Interval of the difference of two proportions over the same n items.

    `gained` items are good only the second time, `lost` ones only the first; the difference is (gained - lost) / n.
    The Wald interval with half an item added to each cell, cut at -1 and 1: Bonett & Price 2012, "Adjusted Wald
    confidence interval for a difference of binomial proportions based on paired data", recommended by Fagerland,
    Lydersen & Laake 2014. Raises ValueError for counts that do not fit n.
    """
    if min(gained, lost, n - gained - lost) < 0:
        raise ValueError(f"{gained} gained and {lost} lost do not fit {n} items")
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = quantile(confidence) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def difference_interval(
    count_a: int, n_a: int, count_b: int, n_b: int, confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval of `count_b / n_b - count_a / n_a` for independent samples; None where one is empty.

    The hybrid of two Wilson intervals: Newcombe 1998, "Interval estimation for the difference between independent
    proportions", method 10.
    """
    of_a, of_b = wilson_interval(count_a, n_a, confidence), wilson_interval(count_b, n_b, confidence)
    if of_a is None or of_b is None:
        return None
    a, b = count_a / n_a, count_b / n_b
    low = b - a - math.hypot(b - of_b[0], of_a[1] - a)
    return low, b - a + math.hypot(of_b[1] - b, a - of_a[0])


def quantile(confidence: float) -> float:
    """The standard normal quantile of a two-sided confidence: 1.96 for 0.95. Raises ValueError outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    return float(ndtri((1 + confidence) / 2))
