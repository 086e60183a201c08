import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tracegauge.statistics import blocks_to_decide, detectable_shift, values_for_interval


def test_with_the_fewest_blocks_all_values_must_lie_above():
    # P(six normal values are all above 0) = Phi(shift)^6 = 0.8; Student's t would say 1.43
    assert detectable_shift(0.03, 6, 0.025) == pytest.approx(0.03 * stats.norm.ppf(0.8 ** (1 / 6)), rel=0.03)
    # a look at 8 blocks that may err with 1/6 of 2.5% asks the same of eight values
    assert detectable_shift(1, 8, 0.025 / 6) == pytest.approx(stats.norm.ppf(0.8 ** (1 / 8)), rel=0.03)
    assert detectable_shift(1, 5, 0.025) == np.inf


def test_detectable_shift_of_many_blocks_by_the_tables():
    # t(0.975; 39) = 2.023, t(0.80; 39) = 0.851: their sum times 0.03 / sqrt(40), over the root of 3/pi = 0.9772
    assert detectable_shift(0.03, 40, 0.025) == pytest.approx((2.023 + 0.851) * 0.03 / np.sqrt(40) / 0.9772, rel=1e-3)


@pytest.mark.parametrize(("n", "alpha"), [(6, 0.025), (12, 0.025), (15, 0.0021), (26, 0.025), (36, 0.0047)])
def test_a_shift_of_that_size_is_found_in_80_percent(n, alpha):
    draws = np.random.default_rng(5).normal(detectable_shift(1.0, n, alpha), 1.0, (3000, n))
    found = stats.wilcoxon(draws, alternative="greater", axis=1, method="exact").pvalue <= alpha
    assert found.mean() == pytest.approx(0.8, abs=0.03)  # four standard errors of 3,000 draws


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
