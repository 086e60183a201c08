import itertools

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics import confusion_matrix as sklearn_confusion
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_kappa

from tracegauge.statistics.agreement import cohen_kappa, confusion_matrix, krippendorff_alpha

CATEGORIES = ("a", "b", "c", "d")
WEIGHTS = ("none", "linear", "quadratic")
two_raters = st.lists(st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(CATEGORIES)), min_size=1, max_size=60)

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units.
_ = None
KRIPPENDORFF_2011 = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


def counts_of(ratings, values):
    return np.array([[unit.count(value) for value in values] for unit in zip(*ratings, strict=True)])


def test_kappa_of_the_textbook_example():
    # Fleiss, Levin & Paik 2003, "Statistical methods for rates and proportions", table 18.1: two raters, 100 subjects:
    # psychotic, neurotic, organic. Agreement 0.75 + 0.04 + 0.10 = 0.89; rows 80, 10, 10, columns 80, 5, 15: by chance
    # 0.80·0.80 + 0.10·0.05 + 0.10·0.15 = 0.66; (0.89 - 0.66) / (1 - 0.66) = 0.676, printed as 0.68
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert cohen_kappa(table) == pytest.approx(0.23 / 0.34, abs=1e-12)
    assert round(float(cohen_kappa(table)), 2) == 0.68


def test_weighted_kappa_of_a_table_by_hand():
    # Rows 2, 1, 1, columns 1, 2, 1, n = 4. Squared steps: observed 1·1 (one step off) + 0 = 1, of 4.
    # By chance Σ r_i c_j (i-j)² / n = (2·2·1 + 2·1·4 + 1·1·1 + 1·1·1 + 1·1·4 + 1·2·1) / 4 = 20 / 4 = 5. 1 - 1/5.
    table = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    assert cohen_kappa(table, "quadratic") == pytest.approx(0.8)


@given(two_raters)
def test_kappa_equals_scikit_learns_and_statsmodels(pairs):
    labels, verdicts = zip(*pairs, strict=True)
    table = confusion_matrix(labels, verdicts, CATEGORIES)
    assert (table == sklearn_confusion(labels, verdicts, labels=CATEGORIES)).all()
    for weights in WEIGHTS:
        ours = float(cohen_kappa(table, weights))
        if len({*labels, *verdicts}) == 1:
            assert np.isnan(ours)
            continue
        theirs = cohen_kappa_score(labels, verdicts, labels=CATEGORIES, weights=None if weights == "none" else weights)
        assert ours == pytest.approx(theirs, abs=1e-12)
        power = {"none": None, "linear": 1, "quadratic": 2}[weights]
        with np.errstate(all="ignore"):  # of its standard errors, for small tables
            other = statsmodels_kappa(table, weights=None if power is None else np.arange(4), wt=_weighting(weights))
        assert ours == pytest.approx(other.kappa, abs=1e-12)


def _weighting(weights):
    return {"none": None, "linear": "ca", "quadratic": "fc"}[weights]


def test_many_tables_at_once_give_the_same_as_one_by_one():
    tables = np.random.default_rng(1).integers(0, 9, size=(50, 3, 3))
    together = cohen_kappa(tables, "linear")
    assert together == pytest.approx([float(cohen_kappa(table, "linear")) for table in tables])


def test_one_class_only_has_no_kappa_and_no_agreement_has_a_negative_one():
    assert np.isnan(cohen_kappa(np.array([[9, 0], [0, 0]])))
    assert cohen_kappa(np.array([[0, 5], [5, 0]])) == -1


@pytest.mark.parametrize(("labels", "verdicts"), [(["a"], []), (["a"], ["z"]), (["z"], ["a"])])
def test_what_does_not_fit_is_refused(labels, verdicts):
    with pytest.raises(ValueError, match=r"do not pair|none of the categories"):
        confusion_matrix(labels, verdicts, CATEGORIES)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)  # Krippendorff 2011, sections C to E
def test_alpha_of_krippendorffs_own_example(level, published):
    values = (1, 2, 3, 4, 5)
    assert round(krippendorff_alpha(counts_of(KRIPPENDORFF_2011, values), values, level), 3) == published


@given(
    st.lists(st.lists(st.sampled_from([1.0, 2.0, 3.0, None]), min_size=3, max_size=3), min_size=1, max_size=25),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_equals_krippendorffs_from_raw_ratings(units, level):
    ratings = np.array([[np.nan if value is None else value for value in unit] for unit in units]).T
    values = (1.0, 2.0, 3.0)
    pairable = [[value for value in unit if value is not None] for unit in units]
    pairable = [unit for unit in pairable if len(unit) >= 2]
    ours = krippendorff_alpha(counts_of(ratings.tolist(), values), values, level)
    if len(set(itertools.chain(*pairable))) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(krippendorff.alpha(ratings, level_of_measurement=level), abs=1e-12)
