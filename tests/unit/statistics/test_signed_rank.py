import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from tracegauge.statistics import hodges_lehmann, interval_rank, p_above, values_for_interval, walsh_averages

numbers = st.floats(min_value=-1e6, max_value=1e6)


def test_walsh_averages_of_three_by_hand():
    # 1, 2, 6: themselves, (1+2)/2, (1+6)/2, (2+6)/2
    assert walsh_averages([6.0, 1.0, 2.0]).tolist() == [1, 1.5, 2, 3.5, 4, 6]


@pytest.mark.parametrize(
    ("n", "k"),
    [
        # the signed-rank test's critical value at one-sided 2.5% (every textbook's table) is k - 1
        (5, 0),  # P(T <= 0) = 1/32 is too much already
        (6, 1),
        (7, 3),
        (8, 4),
        (9, 6),
        (10, 9),
        (15, 26),
        (20, 53),
        (25, 90),
    ],
)
def test_interval_rank_is_the_tables_critical_value(n, k):
    assert interval_rank(n, 0.025) == k


def test_estimate_and_interval_of_six_by_hand():
    # the 21 Walsh averages of 1 … 6 are symmetric around 3.5; with k = 1 the interval is the smallest to the largest
    found = hodges_lehmann([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    assert (found.estimate, found.interval, found.n) == (3.5, (1.0, 6.0), 6)
    assert hodges_lehmann([1.0] * 5).interval is None


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_no_values_or_values_that_are_not_finite_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        hodges_lehmann(values)


@pytest.mark.parametrize("alpha", [0, 0.5, 95])
def test_alpha_is_a_probability_below_one_half(alpha):
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        hodges_lehmann([1.0, 2.0], alpha)


@given(st.lists(numbers, min_size=1, max_size=40, unique=True), numbers)
def test_p_value_is_scipys_exact_one(values, bound):
    shifted = np.array(values) - bound
    assume(len(np.unique(np.abs(shifted))) == len(values) and np.all(shifted != 0))
    assume(np.all(np.abs(np.add.outer(shifted, shifted)) > 1e-6))  # no Walsh average lies at the bound by rounding
    theirs = stats.wilcoxon(shifted, alternative="greater", method="exact").pvalue
    assert p_above(values, bound) == pytest.approx(theirs)


@given(st.lists(numbers, min_size=6, max_size=40, unique=True), st.floats(0.001, 0.2), numbers)
def test_interval_is_the_test_turned_round(values, alpha, bound):
    """The p-value is at most alpha exactly where the interval's lower end lies above the bound."""
    averages = walsh_averages(values)
    assume(not np.any(averages == bound))
    interval = hodges_lehmann(values, alpha).interval
    if interval is None:
        assert p_above(values, bound) > alpha
    else:
        assert (p_above(values, bound) <= alpha) == (interval[0] > bound)


@given(st.lists(st.integers(-1000, 1000), min_size=6, max_size=30), st.integers(1, 50), st.integers(-100, 100))
def test_it_moves_with_shift_and_scale_and_turns_round(values, scale, shift):
    before, after = hodges_lehmann(values), hodges_lehmann([scale * v + shift for v in values])
    turned = hodges_lehmann([-v for v in values])
    assert after.estimate == pytest.approx(scale * before.estimate + shift)
    assert after.interval == pytest.approx([scale * end + shift for end in before.interval])
    assert turned.interval == pytest.approx([-before.interval[1], -before.interval[0]])
    assert before.interval[0] <= before.estimate <= before.interval[1]


@given(st.lists(numbers, min_size=8, max_size=20), st.floats(0.01, 0.1), st.floats(0.01, 0.1))
def test_a_smaller_error_rate_makes_the_interval_no_narrower(values, one, other):
    strict, lax = hodges_lehmann(values, min(one, other)).interval, hodges_lehmann(values, max(one, other)).interval
    if strict:
        assert strict[0] <= lax[0] <= lax[1] <= strict[1]


def test_values_for_an_interval():
    assert values_for_interval() == 6  # 2^-6 = 0.0156
    assert values_for_interval(0.005) == 8  # 2^-8 = 0.0039


@pytest.mark.parametrize(
    "draw", [lambda rng: rng.normal(size=8), lambda rng: rng.standard_t(3, 8)], ids=["normal", "t3"]
)
def test_coverage_by_simulation_is_what_it_says(draw):
    """n = 8 errs with P(T <= 3) = 5/256 on each side: the interval covers with 96.1%; ± 4 standard errors of 2,000."""
    rng = np.random.default_rng(20261125)
    intervals = [hodges_lehmann(draw(rng)).interval for _ in range(2000)]
    share = np.mean([low <= 0 <= high for low, high in intervals])
    assert abs(share - 0.961) < 4 * np.sqrt(0.961 * 0.039 / 2000)
