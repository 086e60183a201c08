"""Known answers, and scipy as a second opinion."""

import math

import numpy as np
import pytest
from scipy import stats

from tracegauge.statistics.two_samples import (
    median_half_width,
    p_beyond,
    shift_between,
    spread_of_sessions,
    widened,
)


def test_shift_and_its_interval_by_hand():
    # Differences 10-1 … 13-4 = 9 10 11 12 / 8 9 10 11 / 7 8 9 10 / 6 7 8 9: their median is 9. With 4 values a side
    # there are 70 orders; P(U = 0) = 1/70 = 1.4% ≤ 2.5%, P(U ≤ 1) = 2/70 = 2.9% > 2.5%: so k = 1, the whole range 6…12.
    shift = shift_between([1, 2, 3, 4], [10, 11, 12, 13])
    assert (shift.estimate, shift.half_width) == (9, 3)


def test_three_values_a_side_are_too_few():
    # 20 orders: P(U = 0) = 5% > 2.5%.
    assert shift_between([1, 2, 3], [4, 5, 6]).half_width is None


@pytest.mark.parametrize(("m", "n"), [(4, 4), (5, 9), (12, 7), (20, 20)])
def test_the_interval_excludes_zero_exactly_where_mann_whitney_rejects(m, n):
    rng = np.random.default_rng([m, n])
    base = rng.normal(size=m)
    for shift in np.linspace(0, 3, 13):
        candidate = rng.normal(size=n) + shift
        differences = np.sort(np.subtract.outer(candidate, base), axis=None)
        p = stats.mannwhitneyu(candidate, base, alternative="greater", method="exact").pvalue
        from tracegauge.statistics.two_samples import _rank

        assert (differences[_rank(m, n, 0.025) - 1] > 0) == (p <= 0.025)


def test_large_samples_use_the_normal_approximation():
    from tracegauge.statistics.two_samples import _rank

    exact, approximated = _rank(60, 60, 0.025), _rank(61, 61, 0.025)
    assert 0 < approximated - exact < 70  # about 61² / 2 - 60² / 2 = 60 more differences lie below the middle


def test_spread_of_sessions_by_hand():
    # Variances over sessions 1 and 4, 2.5 on average, doubled for a difference: sqrt(5).
    assert spread_of_sessions([[1, 2, 3], [2, 4, 6]]) == pytest.approx(math.sqrt(5))
    with pytest.raises(ValueError, match="two sessions"):
        spread_of_sessions([[1.0]])


def test_widening_adds_as_independent_errors():
    # 1.95996 * 0.05 = 0.09800; sqrt(0.03² + 0.098²) = 0.10249.
    assert widened(0.03, 0.05, None) == pytest.approx(0.10249, abs=1e-5)
    # Student's t with 4 degrees of freedom: 2.77645.
    assert widened(0.0, 1.0, 5) == pytest.approx(2.77645, abs=1e-5)


@pytest.mark.parametrize("sessions", [None, 4])
def test_the_p_value_agrees_with_the_interval(sessions):
    assert p_beyond(0.2, 0.1, 0.1, sessions) == pytest.approx(0.025)
    assert p_beyond(0.2, 0.1, 0.0999, sessions) < 0.025 < p_beyond(0.2, 0.1, 0.1001, sessions)
    assert p_beyond(0.1, 0.1, 0.1, sessions) == pytest.approx(0.5)


def test_median_half_width_covers_medians_of_normal_values():
    # IQR of a standard normal is 1.349, so the half-width is 1.96 * 1.253 / sqrt(n).
    assert median_half_width(1.349, 100) == pytest.approx(1.95996 * 0.1253, abs=1e-5)


def test_coverage_over_sessions_that_differ():
    """Known truth 0; sessions shift by 4%, blocks by 3%: the widened interval covers it in at least 95% of cases."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        base, candidate = (rng.normal(rng.normal(0, 0.04), 0.03, size=6) for _ in range(2))
        shift = shift_between(base, candidate)
        assert shift.half_width is not None
        covered += abs(shift.estimate) <= widened(shift.half_width, 0.04 * math.sqrt(2), None)
    assert covered / 400 >= 0.93
