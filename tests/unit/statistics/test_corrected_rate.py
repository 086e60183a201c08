import numpy as np
import pytest

from tracegauge.statistics.corrected_rate import (
    CorrectedRate,
    NotCorrectable,
    corrected_rate,
    corrected_rate_interval,
)


def test_rogan_and_gladens_estimate_by_hand():
    # 70 of 100 passed; TPR 45/50 = 0.9, TNR 40/50 = 0.8: (0.7 + 0.8 - 1) / (0.9 + 0.8 - 1) = 0.5 / 0.7
    found = corrected_rate(70, 100, 45, 50, 40, 50)
    assert found.rate == pytest.approx(5 / 7)
    low, high = found.interval
    assert low < 5 / 7 < high


def test_interval_of_lang_and_reiczigel_by_hand():
    # Their formulas step by step for z = 1.959964, z² = 3.841459 and the counts above:
    # n' = 103.841459, share' = 71.920729/103.841459 = 0.692601; TPR' = 46/52 = 0.884615; TNR' = 41/52 = 0.788462
    # Youden' = 0.673077; rate' = 0.481063/0.673077 = 0.714724
    # terms: share' 0.692601·0.307399/103.841459 = 0.00205030; TPR' 0.102071/52 = 0.00196290 · 0.714724² = 0.00100271;
    #        TNR' 0.166790/52 = 0.00320750 · 0.285276² = 0.00026104; root of the sum 0.00331405 = 0.0575678
    # error 0.0575678/0.673077 = 0.0855293; shift 2·3.841459·(0.714724·0.00196290 - 0.285276·0.00320750) = 0.0037488
    # 0.714724 + 0.003749 ± 1.959964·0.0855293 = 0.718473 ± 0.167634
    assert corrected_rate_interval(70, 100, 45, 50, 40, 50) == pytest.approx((0.550839, 0.886107), abs=2e-5)


def test_a_perfect_judge_is_not_corrected():
    found = corrected_rate(30, 100, 200, 200, 200, 200)
    assert found.rate == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ((5, 10, 9, 9, 90, 100), "9 labels are good and 100 are not"),
        ((5, 10, 90, 100, 0, 0), "0 are not"),
        ((5, 10, 50, 100, 50, 100), "too near to 1"),
        ((5, 10, 20, 100, 20, 100), "too near to 1"),
        ((0, 0, 90, 100, 90, 100), "nothing has been judged"),
    ],
)
def test_refused_where_the_judge_is_not_known_or_guesses(counts, reason):
    found = corrected_rate(*counts)
    assert isinstance(found, NotCorrectable)
    assert reason in found.reason


@pytest.mark.parametrize(("truth", "labels"), [(0.1, 20), (0.5, 20), (0.9, 60)])
def test_interval_covers_the_truth_as_often_as_it_says(truth, labels):
    rng, hits, tpr, tnr = np.random.default_rng(9), 0, 0.85, 0.8
    for _ in range(1500):
        passed = int(rng.binomial(300, truth * tpr + (1 - truth) * (1 - tnr)))
        low, high = corrected_rate_interval(
            passed, 300, int(rng.binomial(labels, tpr)), labels, int(rng.binomial(labels, tnr)), labels
        )
        hits += low <= truth <= high
    assert hits / 1500 >= 0.93


def test_estimate_and_interval_stay_inside_zero_and_one():
    found = corrected_rate(0, 100, 18, 20, 10, 20)  # (0 + 0.5 - 1) / 0.4 is below 0
    assert isinstance(found, CorrectedRate)
    assert found.rate == 0
    assert found.interval[0] == 0
