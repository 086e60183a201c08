import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tracegauge.statistics import blocks_for_interval, median_with_interval

numbers = st.floats(min_value=-1e9, max_value=1e9)


@pytest.mark.parametrize(
    ("n", "k"),
    [
        # k is the largest with 2 * P(B <= k-1) <= 0.05, B ~ Binomial(n, 1/2):
        (5, None),  # 2 * 1/32 = 0.0625 is too much already for k = 1
        (6, 1),  # 2 * 1/64 = 0.03125; for k = 2: 2 * 7/64 = 0.22
        (8, 1),  # 2 * 1/256 = 0.0078; for k = 2: 2 * 9/256 = 0.070
        (9, 2),  # 2 * 10/512 = 0.039; for k = 3: 2 * 46/512 = 0.18
        (20, 6),  # the textbook value: x(6) to x(15) covers with 95.9% (Conover 1999)
        (30, 10),  # x(10) to x(21) covers with 95.7%
    ],
)
def test_interval_is_between_the_known_order_statistics(n, k):
    values = np.arange(1.0, n + 1)  # the i-th smallest value is i
    found = median_with_interval(np.random.default_rng(1).permutation(values))
    assert found.interval == (None if k is None else (k, n + 1 - k))
    assert found.median == (n + 1) / 2
    assert found.n == n


def test_six_blocks_are_needed_at_95_percent_and_eight_at_99():
    assert blocks_for_interval() == 6
    assert blocks_for_interval(0.99) == 8  # 2 * 2^-8 = 0.0078 <= 0.01 < 2 * 2^-7
    assert blocks_for_interval(0.9375) == 5  # 2 * 2^-5 is exactly 1 - 0.9375: met counts as enough


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_no_values_or_values_that_are_not_finite_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        median_with_interval(values)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_probability(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        median_with_interval([1.0, 2.0], confidence)


@given(st.lists(numbers, min_size=1, max_size=60), st.floats(0.5, 0.995))
def test_interval_holds_the_median_and_has_the_confidence_asked_for(values, confidence):
    found = median_with_interval(values, confidence)
    assert found.median == pytest.approx(np.median(values))
    if found.interval is None:
        assert 1 - 2 * stats.binom.cdf(0, len(values), 0.5) < confidence
    else:
        low, high = found.interval
        assert low <= found.median <= high
        assert {low, high} <= set(values)


@given(st.lists(numbers, min_size=6, max_size=40, unique=True))
def test_interval_agrees_with_scipys_quantile_test_and_is_no_wider(values):
    theirs = stats.quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    ours = median_with_interval(values).interval
    # scipy may leave one end open by one order statistic: ours lies inside it.
    assert ours is not None
    assert theirs.low <= ours[0]
    assert ours[1] <= theirs.high


@given(st.lists(st.integers(-1000, 1000), min_size=6, max_size=30), st.integers(1, 50), st.integers(-100, 100))
def test_interval_moves_with_shift_and_scale(values, scale, shift):
    before, after = median_with_interval(values), median_with_interval([scale * v + shift for v in values])
    assert after.median == pytest.approx(scale * before.median + shift)
    assert after.interval == pytest.approx([scale * limit + shift for limit in before.interval])


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, n: rng.lognormal(0.1, 0.5, n), np.exp(0.1)),
        (lambda rng, n: rng.standard_cauchy(n) + 3, 3.0),
        (lambda rng, n: rng.exponential(2.0, n), 2.0 * np.log(2)),
    ],
    ids=["log-normal", "cauchy", "exponential"],
)
@pytest.mark.parametrize("n", [6, 15])
def test_coverage_by_simulation_is_what_it_says(draw, truth, n):
    """2,000 samples with known median: the share that covers it is at least 95% less four standard errors of it."""
    rng = np.random.default_rng(20261123)
    hits = 0
    for _ in range(2000):
        low, high = median_with_interval(draw(rng, n)).interval
        hits += low <= truth <= high
    assert hits / 2000 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 2000)
    assert hits / 2000 <= 0.995  # nor is it far too wide: exact coverage is 96.9% for n = 6 and 96.5% for n = 15
