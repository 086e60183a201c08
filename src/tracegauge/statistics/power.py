"""What so many blocks could have found, and how many would find out."""

from math import sqrt

from scipy.special import stdtrit  # quantiles of Student's t; scipy.stats has them too, but takes a second to import

from tracegauge.statistics.signed_rank import values_for_interval

POWER = 0.80
MOST_BLOCKS = 10_000
"""More than that is no plan."""


def detectable_shift(sd: float, n: int, alpha: float, power: float = POWER) -> float:
    """The smallest shift that n ≥ 2 values of standard deviation `sd` tell from 0 in a share `power` of cases.

    (t(1 - alpha) + t(power)) sd / √n with n - 1 degrees of freedom (Cohen 1988, "Statistical Power Analysis", section
    2.5; Chow, Shao & Wang 2008, "Sample Size Calculations in Clinical Research", section 3.1). It is that of the
    t-test, whose power the signed-rank test has within 5% for normal values and exceeds for heavy tails (Hodges &
    Lehmann 1956).
    """
    return float(stdtrit(n - 1, 1 - alpha) + stdtrit(n - 1, power)) * sd / sqrt(n)


def blocks_to_decide(distance: float, sd: float, alpha: float, power: float = POWER) -> int | None:
    """How many blocks tell a shift of `distance` from 0 in a share `power` of cases; None if more than 10,000 would.

    Never fewer than an interval of the signed-rank test needs.
    """
    low, high = max(2, values_for_interval(alpha)), MOST_BLOCKS
    if not distance > 0 or detectable_shift(sd, high, alpha, power) > distance:
        return None
    while low < high:
        middle = (low + high) // 2
        if detectable_shift(sd, middle, alpha, power) <= distance:
            high = middle
        else:
            low = middle + 1
    return low
