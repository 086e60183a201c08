import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tracegauge.statistics import blocks_to_decide, detectable_shift, values_for_interval


def test_detectable_shift_by_the_tables():
    # t(0.975; 9) = 2.262, t(0.80; 9) = 0.883: (2.262 + 0.883) * 0.03 / sqrt(10)
    assert detectable_shift(0.03, 10, 0.025) == pytest.approx((2.262 + 0.883) * 0.03 / np.sqrt(10), rel=1e-3)


def test_a_shift_of_that_size_is_found_in_about_80_percent():
    shift, rng = detectable_shift(1.0, 12, 0.025), np.random.default_rng(5)
    draws = rng.normal(shift, 1.0, (2000, 12))
    found = stats.wilcoxon(draws, alternative="greater", axis=1).pvalue <= 0.025
    assert 0.74 <= found.mean() <= 0.86  # the formula is that of the t-test, some points off


@given(st.floats(0.005, 0.5), st.floats(0.005, 0.3), st.sampled_from([0.025, 0.005]))
def test_so_many_blocks_decide_and_one_fewer_does_not(distance, sd, alpha):
    needed = blocks_to_decide(distance, sd, alpha)
    if needed is None:
        assert detectable_shift(sd, 10_000, alpha) > distance
        return
    assert detectable_shift(sd, needed, alpha) <= distance
    assert needed == values_for_interval(alpha) or detectable_shift(sd, needed - 1, alpha) > distance


def test_no_number_of_blocks_decides_what_lies_at_the_bound():
    assert blocks_to_decide(0.0, 0.03, 0.025) is None
    assert blocks_to_decide(1e-9, 0.03, 0.025) is None
    assert blocks_to_decide(0.01, 0.0, 0.025) == values_for_interval(0.025)
