import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from tracegauge.statistics.proportions import difference_interval, paired_difference_interval, wilson_interval

of_n = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("count", "n", "published"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_intervals_of_newcombes_table(count, n, published):
    assert wilson_interval(count, n) == pytest.approx(published, abs=5e-5)


@given(of_n, st.floats(0.5, 0.999))
def test_wilson_equals_statsmodels_and_holds_the_share(counts, confidence):
    count, n = counts
    low, high = wilson_interval(count, n, confidence)
    assert (low, high) == pytest.approx(proportion_confint(count, n, 1 - confidence, "wilson"), abs=1e-12)
    assert 0 <= low <= count / n <= high <= 1


@pytest.mark.parametrize(
    ("b", "a", "published"),
    [  # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_intervals_of_newcombes_table(a, b, published):
    assert difference_interval(*a, *b) == pytest.approx(published, abs=5e-5)


@given(of_n, of_n)
def test_difference_equals_statsmodels(a, b):
    theirs = confint_proportions_2indep(*b, *a, compare="diff", method="newcomb")
    assert difference_interval(*a, *b) == pytest.approx(theirs, abs=1e-9)


def test_paired_difference_by_hand():
    # Fagerland, Lydersen & Laake 2014, "Recommended tests and confidence intervals for paired binomial proportions":
    # airway hyper-responsiveness of 21 children before and after stem cell transplantation: 1 and 7 discordant pairs.
    # (1+1)/23 - (7+1)/23 = -0.26087; sqrt((2/23 + 8/23 - 0.26087²) / 23) = 0.126273; ± 1.959964 · 0.126273 = 0.247490
    assert paired_difference_interval(1, 7, 21) == pytest.approx((-0.508359, -0.013380), abs=2e-6)


@pytest.mark.parametrize("arguments", [(-1, 0, 5), (3, 3, 5), (0, -1, 5)])
def test_counts_that_do_not_fit_are_refused(arguments):
    with pytest.raises(ValueError, match="do not fit"):
        paired_difference_interval(*arguments)
    with pytest.raises(ValueError, match="no proportion"):
        wilson_interval(6, 5)


def test_nothing_has_no_interval_and_confidence_is_a_probability():
    assert wilson_interval(0, 0) is None
    assert difference_interval(0, 0, 1, 2) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson_interval(1, 2, 95)


def test_paired_interval_covers_the_truth_as_often_as_it_says():
    rng, truth, hits = np.random.default_rng(3), 0.15 - 0.25, 0
    for _ in range(2000):
        gained, lost, _same = rng.multinomial(60, [0.15, 0.25, 0.6])
        low, high = paired_difference_interval(int(gained), int(lost), 60)
        hits += low <= truth <= high
    assert 0.93 <= hits / 2000 <= 0.98
