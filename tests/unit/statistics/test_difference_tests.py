import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import normal_power_het

from tracegauge.statistics.detectable_difference import (
    detectable_difference,
    paired_standard_error,
    unpaired_standard_error,
)
from tracegauge.statistics.difference_tests import fisher_exact, mann_whitney, mcnemar_exact, wilcoxon_signed_rank


def test_mcnemar_of_a_published_table():
    # Fagerland, Lydersen & Laake 2013, "The McNemar test for binary matched-pairs data", table 4: 1 and 7 discordant
    # pairs; exact conditional p = 2 · (C(8,0) + C(8,1)) / 2⁸ = 18/256 = 0.0703, as they print.
    assert mcnemar_exact(1, 7) == pytest.approx(18 / 256, abs=1e-12)
    assert mcnemar_exact(0, 0) == 1


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_equals_statsmodels(gained, lost):
    theirs = 1.0 if gained + lost == 0 else mcnemar([[5, lost], [gained, 5]], exact=True).pvalue
    assert mcnemar_exact(gained, lost) == pytest.approx(min(1.0, theirs), rel=1e-9)


def test_wilcoxon_of_hollander_and_wolfe():
    # Hollander & Wolfe 1973, "Nonparametric statistical methods", p. 29: depression scores of nine patients before and
    # after a tranquilizer. V = 40, one-sided p = 0.01953 = 10/512, so two-sided 20/512.
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    differences = np.subtract(after, before)
    assert wilcoxon_signed_rank(differences) == pytest.approx(20 / 512, abs=1e-12)


def test_wilcoxon_of_scores_with_ties_and_zeros_is_pratts():
    # Differences 0 0 1 1 1 1 -1 2: |d| ranks with the zeros: 1.5 1.5 5 5 5 5 5 8; W+ = 28, W- = 5 without the zeros.
    # Mean (33)/2 = 16.5; variance Σ ranks² / 4 of the signed ones = (5·25 + 64) / 4 = 47.25; z = 11.5 / 6.87386 = 1.673
    differences = [0, 0, 1, 1, 1, 1, -1, 2]
    assert wilcoxon_signed_rank(differences) == pytest.approx(2 * stats.norm.sf(11.5 / np.sqrt(47.25)), abs=1e-9)
    assert wilcoxon_signed_rank([0, 0, 0]) == 1


def test_fisher_of_the_lady_tasting_tea():
    # Fisher 1935: 3 of 4 and 1 of 4: two-sided p = 2 · (16 + 1) / 70
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70, abs=1e-12)


def test_mann_whitney_by_counting_orders():
    # Of the C(6, 3) = 20 orders of 3 and 3 values, 1 puts all of a below all of b, 1 all above: p = 2/20
    assert mann_whitney([1, 2, 3], [4, 5, 6]) == pytest.approx(0.1)
    assert mann_whitney([2, 2], [2]) == 1


def test_a_difference_of_2_8_standard_errors_is_found_with_80_percent():
    assert detectable_difference(0.01) == pytest.approx(0.0280158, abs=1e-6)  # 1.959964 + 0.841621
    power = normal_power_het(0.0280158, 1, 0.05, std_null=0.01, std_alternative=0.01)
    assert power == pytest.approx(0.8, abs=1e-4)
    with pytest.raises(ValueError, match="no probabilities"):
        detectable_difference(-1)


def test_detectable_differences_are_found_as_often_as_they_say():
    """200 pairs of which 30% change: the sign test of the changed ones finds the detectable difference in about 80%."""
    n, changing = 200, 0.3
    difference = detectable_difference(paired_standard_error(30, 30, n))
    rng = np.random.default_rng(11)
    shares = [(changing + difference) / 2, (changing - difference) / 2, 1 - changing]
    found = [mcnemar_exact(*map(int, rng.multinomial(n, shares)[:2])) <= 0.05 for _ in range(500)]
    assert 0.70 <= np.mean(found) <= 0.87  # the exact test holds 5% strictly, so it finds a little less


def test_unpaired_standard_error_by_hand():
    # (40 + 60 + 2) / (100 + 100 + 4) = 0.5: sqrt(0.25 · 2 / 100)
    assert unpaired_standard_error(40, 100, 60, 100) == pytest.approx(np.sqrt(0.005))
    assert paired_standard_error(0, 0, 98) == pytest.approx(np.sqrt(2) / 100)
