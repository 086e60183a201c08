import numpy as np
import pytest
from scipy import stats

from tracegauge.statistics.agreement import cohen_kappa
from tracegauge.statistics.bootstrap import bca_interval, count_bootstrap, weight_bootstrap


def mean_of(values):
    return lambda weights: weights @ values / weights.sum(axis=-1)


def test_interval_of_a_mean_is_scipys_bca_but_for_the_draw():
    values = np.random.default_rng(5).exponential(2.0, 60)
    ours = weight_bootstrap(60, mean_of(values), resamples=20_000)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(1))
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.03)
    assert ours != pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.5)


def test_from_the_same_draws_it_is_scipys_bca_to_the_digit():
    values = np.random.default_rng(6).lognormal(0, 1, 40)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=999, rng=np.random.default_rng(2))
    left_out = np.array([np.delete(values, i).mean() for i in range(40)])
    ours = bca_interval(float(values.mean()), theirs.bootstrap_distribution, left_out)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)


def test_interval_of_kappa_is_scipys_and_the_same_every_time():
    table = np.array([[40, 9], [6, 25]])
    cells = [(i, j) for i in (0, 1) for j in (0, 1) for _ in range(table[i, j])]
    labels, verdicts = np.array(cells).T

    def kappa(a, b, axis=-1):
        counts = np.stack([np.stack([((a == i) & (b == j)).sum(axis) for j in (0, 1)], -1) for i in (0, 1)], -2)
        return cohen_kappa(counts)

    theirs = stats.bootstrap(
        (labels, verdicts), kappa, paired=True, vectorized=True, method="BCa", n_resamples=5000,
        rng=np.random.default_rng(3),
    )  # fmt: skip
    ours = count_bootstrap(table, cohen_kappa)
    assert ours == count_bootstrap(table, cohen_kappa)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.03)


@pytest.mark.parametrize(
    "table",
    [
        [[20, 0], [0, 20]],  # never a disagreement: nothing to say how seldom there is one
        [[20, 0], [0, 0]],  # kappa is not defined
        [[1, 0], [0, 0]],
        [[0, 0], [0, 0]],
    ],
)
def test_there_is_no_interval_where_resampling_says_nothing(table):
    assert count_bootstrap(np.array(table), cohen_kappa) is None


def test_no_interval_where_the_statistic_is_mostly_undefined():
    assert count_bootstrap(np.array([[30, 0], [0, 1]]), cohen_kappa) is None  # 36% of resamples lack the second class


def test_coverage_of_kappas_interval_by_simulation():
    shares = np.array([0.42, 0.10, 0.13, 0.35])
    truth = float(cohen_kappa((shares * 10_000).round().reshape(2, 2)))
    rng, hits = np.random.default_rng(7), 0
    for _ in range(400):
        low, high = count_bootstrap(rng.multinomial(80, shares).reshape(2, 2), cohen_kappa, resamples=500)
        hits += low <= truth <= high
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / 400) <= hits / 400 <= 0.99
