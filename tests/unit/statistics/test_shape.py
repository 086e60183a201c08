import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.statistics import BIMODAL, bimodality, trend


@pytest.mark.parametrize(
    ("draw", "coefficient"),
    [
        (lambda rng: rng.normal(size=20000), 1 / 3),  # skewness 0, kurtosis 3
        (lambda rng: rng.uniform(size=20000), 5 / 9),  # kurtosis 9/5
        (lambda rng: rng.choice([0.0, 1.0], 20000), 1.0),  # kurtosis 1
        (lambda rng: rng.exponential(size=200000), 5 / 9),  # (2² + 1) / 9: strong skew looks like two modes
    ],
    ids=["normal", "uniform", "two points", "exponential"],
)
def test_bimodality_of_known_distributions(draw, coefficient):
    assert bimodality(draw(np.random.default_rng(3))) == pytest.approx(coefficient, abs=0.02)


def test_two_groups_are_told_from_one():
    rng = np.random.default_rng(4)
    assert bimodality(np.concatenate([rng.normal(0, 1, 60), rng.normal(6, 1, 40)])) > BIMODAL
    assert bimodality(rng.normal(0, 1, 100)) < BIMODAL


def test_equal_values_have_no_modes_and_three_are_too_few():
    assert bimodality([2.0] * 10) == 0
    with pytest.raises(ValueError, match="at least 4"):
        bimodality([1.0, 2.0, 3.0])


@given(st.lists(st.integers(-100, 100), min_size=4, max_size=50), st.integers(1, 9), st.integers(-50, 50))
def test_bimodality_does_not_depend_on_shift_and_scale(values, scale, shift):
    assert bimodality([scale * v + shift for v in values]) == pytest.approx(bimodality(values), rel=1e-6, abs=1e-9)


def test_a_trend_is_found_with_its_slope():
    # eight rising values in order: tau = 1, p = 2 / 8! = 0.00005
    p, slope = trend([1.0, 1.5, 2.1, 2.4, 3.0, 3.6, 4.1, 4.4])
    assert p == pytest.approx(2 / 40320)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert trend([1.0] * 5) == (1.0, 0.0)
    assert trend([1.0, 3.0, 2.0, 3.0, 1.0])[0] > 0.5
