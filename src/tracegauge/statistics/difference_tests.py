"""Tests of whether two sets of judgements differ: paired where both judged the same items, else unpaired. Two-sided."""

from collections.abc import Sequence

import numpy as np


def mcnemar_exact(gained: int, lost: int) -> float:
    """p-value for as many items having got better as worse, from the counts of both; 1 where none changed.

    A sign test of the items that changed: McNemar 1947, "Note on the sampling error of the difference between
    correlated proportions or percentages", with the exact binomial distribution.
    """
    from scipy.stats import binomtest

    changed = gained + lost
    return 1.0 if changed == 0 else float(binomtest(gained, changed, 0.5).pvalue)


def wilcoxon_signed_rank(differences: Sequence[float]) -> float:
    """p-value for paired differences that lie symmetrically around 0; 1 where all are 0.

    Zeros are ranked and then dropped (Pratt 1959, "Remarks on zeros and ties in the Wilcoxon signed rank procedures"),
    as scores on a short scale have many. Exact for up to 50 differences without ties and zeros, else the normal
    approximation with the variance corrected for ties. Wilcoxon 1945, "Individual comparisons by ranking methods".
    """
    from scipy.stats import wilcoxon

    values = np.asarray(differences, dtype=np.float64)
    if not values.any():
        return 1.0
    plain = len(values) <= 50 and len(np.unique(np.abs(values))) == len(values) and bool(values.all())
    method = "exact" if plain else "approx"
    return float(wilcoxon(values, zero_method="pratt", method=method).pvalue)


def fisher_exact(count_a: int, n_a: int, count_b: int, n_b: int) -> float:
    """p-value for two independent samples with one and the same share.

    Fisher 1935, "The logic of inductive inference".
    """
    from scipy.stats import fisher_exact as exact

    return float(exact([[count_a, n_a - count_a], [count_b, n_b - count_b]]).pvalue)


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> float:
    """p-value for two independent samples of which neither tends to larger values; 1 where all values are the same.

    Mann & Whitney 1947, "On a test of whether one of two random variables is stochastically larger than the other".
    """
    from scipy.stats import mannwhitneyu

    return 1.0 if len({*a, *b}) == 1 else float(mannwhitneyu(a, b, alternative="two-sided").pvalue)
