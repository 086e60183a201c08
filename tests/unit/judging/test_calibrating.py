"""From files of labels and verdicts to calibrations: every number equals scikit-learn's, or a count by hand."""

import csv
import json

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, recall_score

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import LlmJudge
from tracegauge.judging.calibrating import calibrate
from tracegauge.judging.file_evidence import evidence_from_files
from tracegauge.judging.label_file import read_label_file
from tracegauge.statistics.proportions import wilson_interval

LLM = {"schema_version": "1.0", "kind": "llm", "name": "j", "model": "openai:/m", "instructions": "Judge {{ outputs }}"}


@pytest.fixture
def written(tmp_path):
    """Write a CSV or JSONL file of rows, and read it."""

    def write(rows, name="verdicts.csv"):
        file = tmp_path / name
        if name.endswith(".csv"):
            with file.open("w", newline="") as out:
                table = csv.DictWriter(out, rows[0].keys())
                table.writeheader()
                table.writerows(rows)
        else:
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return read_label_file(file)

    return write


def rows_of(labels, verdicts, **more):
    return [
        {"item": f"t{i}", "judge": "j", "value": verdict, "label": label, **more}
        for i, (label, verdict) in enumerate(zip(labels, verdicts, strict=True))
    ]


def only(evidence):
    (one,) = evidence
    return calibrate(one)


def test_yes_and_no_equal_scikit_learns(written):
    rng = np.random.default_rng(4)
    labels = rng.choice(["yes", "no"], 120, p=[0.6, 0.4])
    verdicts = np.where(rng.random(120) < 0.8, labels, rng.choice(["yes", "no"], 120))
    record = only(evidence_from_files(written(rows_of(labels, verdicts))))
    assert record.scale == "categories"
    assert record.categories == ("no", "yes")
    assert record.confusion == tuple(map(tuple, confusion_matrix(labels, verdicts, labels=["no", "yes"])))
    assert record.accuracy.share == pytest.approx(accuracy_score(labels, verdicts))
    assert record.kappa.value == pytest.approx(cohen_kappa_score(labels, verdicts), abs=1e-12)
    assert record.tpr.share == pytest.approx(recall_score(labels, verdicts, pos_label="yes"))
    assert record.tnr.share == pytest.approx(recall_score(labels, verdicts, pos_label="no"))
    assert (record.base_rate.count, record.judge_rate.count) == ((labels == "yes").sum(), (verdicts == "yes").sum())
    coded = [[value == "yes" for value in one] for one in (labels, verdicts)]
    assert record.alpha.value == pytest.approx(
        krippendorff.alpha(np.array(coded, float), level_of_measurement="nominal"), abs=1e-12
    )
    low, high = record.kappa.interval
    assert low < record.kappa.value < high
    assert record.accuracy.interval == wilson_interval(record.accuracy.count, 120)
    assert [one.item for one in record.disagreements] == [f"t{i}" for i in np.flatnonzero(labels != verdicts)]


def test_scores_on_a_range_are_weighted_over_the_declared_range(written):
    rng = np.random.default_rng(5)
    labels = rng.integers(2, 5, 60)  # 2, 3 and 4 of 1 to 5
    verdicts = np.clip(labels + rng.integers(-1, 2, 60), 1, 5)
    spec = LlmJudge(**LLM, value={"type": "integer", "minimum": 1, "maximum": 5}, passes=">= 4")
    record = only(evidence_from_files(written(rows_of(labels, verdicts)), specs={"j": spec}))
    assert record.digest == spec.digest
    assert record.kappa_weights == "quadratic"
    assert len(record.confusion) == 5
    theirs = cohen_kappa_score(labels, verdicts, labels=[1, 2, 3, 4, 5], weights="quadratic")
    assert record.kappa.value == pytest.approx(theirs, abs=1e-12)
    assert record.mean_error == pytest.approx(np.abs(labels - verdicts).mean())
    assert record.tpr.n == (labels >= 4).sum()
    theirs = krippendorff.alpha(np.array([labels, verdicts], float), level_of_measurement="ordinal")
    assert record.alpha.value == pytest.approx(theirs, abs=1e-12)


def test_floats_have_alpha_and_a_kappa_of_passing(written):
    labels, verdicts = np.linspace(0, 1, 20), np.linspace(0, 1, 20) ** 2
    spec = LlmJudge(**LLM, value={"type": "float", "minimum": 0, "maximum": 1}, passes=">= 0.5")
    file = written(rows_of(labels.tolist(), verdicts.tolist()), "v.jsonl")
    record = only(evidence_from_files(file, specs={"j": spec}))
    assert record.accuracy is None
    assert record.confusion == ()
    assert record.kappa.value == pytest.approx(cohen_kappa_score(labels >= 0.5, verdicts >= 0.5), abs=1e-12)
    theirs = krippendorff.alpha(np.array([labels, verdicts]), level_of_measurement="interval")
    assert record.alpha.value == pytest.approx(theirs, abs=1e-9)
    assert only(evidence_from_files(file)).kappa.value is None  # without a judge file nothing says what passes


def test_several_people_set_the_ceiling(written):
    rng = np.random.default_rng(6)
    truth = rng.random(80) < 0.5
    people = {name: np.where(rng.random(80) < 0.9, truth, ~truth) for name in ("ann", "ben", "cem")}
    judge = np.where(rng.random(80) < 0.8, truth, ~truth)
    rows = [
        {"item": f"t{i}", "judge": "j", "value": bool(judge[i]), "label": bool(given[i]), "annotator": name}
        for i in range(80)
        for name, given in people.items()
        if not (name == "cem" and i >= 40)  # cem labelled half
    ]
    record = only(evidence_from_files(written(rows, "v.jsonl")))
    ratings = np.array(
        [np.where(np.arange(80) < (40 if name == "cem" else 80), one, np.nan) for name, one in people.items()]
    )
    assert record.annotators.alpha.value == pytest.approx(
        krippendorff.alpha(ratings, level_of_measurement="nominal"), abs=1e-12
    )
    ann, ben, cem = people.values()
    pairs = [(ann, ben), (ann[:40], cem[:40]), (ben[:40], cem[:40])]
    assert record.annotators.kappa == pytest.approx(np.mean([cohen_kappa_score(*pair) for pair in pairs]), abs=1e-12)
    alone = [(judge, ann), (judge, ben), (judge[:40], cem[:40])]
    assert record.annotators.judge_kappa == pytest.approx(
        np.mean([cohen_kappa_score(*one) for one in alone]), abs=1e-12
    )
    ties = ((ann != ben) & (np.arange(80) >= 40)).sum()  # two people who differ have no majority
    assert record.annotators.ties == ties
    assert record.judged == 80 - ties


# Answers A and B of twelve questions, each judged in both orders; the label is A>B throughout.
ORDERS = [("A>B", "A>B")] * 6 + [("A>B", "B>A")] * 3 + [("B>A", "A>B"), ("A>B", "A=B"), ("A>B", None)]


def pairwise_rows(orders):
    return [
        {"item": f"q{i}", "judge": "p", "value": value, "order": order, "label": "A>B"}
        for i, pair in enumerate(orders)
        for order, value in zip(("AB", "BA"), pair, strict=True)
    ]


def test_pairwise_verdicts_in_both_orders(written):
    record = only(evidence_from_files(written(pairwise_rows(ORDERS), "v.jsonl")))
    orders = record.both_orders
    assert orders.items == 11
    assert (orders.consistent.count, orders.consistent.n) == (6, 11)
    # Answer A first and preferred, B first and preferred: three times of the four that turn over.
    assert (orders.first_preferred.count, orders.first_preferred.n) == (3, 4)
    assert (orders.correct_in_both.count, orders.correct_in_both.n) == (6, 11)
    assert record.missing == 1
    # What doesn't survive the swap is a tie: 6 A>B and 5 A=B for 11 labels A>B.
    assert record.confusion[0] == (6, 5, 0)
    assert record.kappa.value == 0
    assert "every label is A>B" in " ".join(record.warnings)


def test_verdicts_that_name_positions_are_turned_round(written):
    by_position = [(ab, {"A>B": "B>A", "B>A": "A>B"}.get(ba, ba)) for ab, ba in ORDERS]
    file = written(pairwise_rows(by_position), "v.jsonl")
    assert only(evidence_from_files(file, naming="positions")).both_orders.consistent.count == 6
    assert any("--verdicts-name positions" in one for one in only(evidence_from_files(file)).warnings)


def test_a_judge_that_always_agrees_has_no_interval_of_kappa(written):
    labels = ["yes", "no"] * 20
    record = only(evidence_from_files(written(rows_of(labels, labels))))
    assert record.kappa.value == 1
    assert record.kappa.interval is None
    assert record.accuracy.interval[0] == pytest.approx(0.912, abs=1e-3)  # 40 of 40: z² / (n + z²) is left out


def test_one_class_only_is_said_and_its_kappa_is_unknown(written):
    spec = LlmJudge(**LLM, calibration={"minimum_kappa": 0.4})
    record = only(evidence_from_files(written(rows_of(["true"] * 30, ["true"] * 30)), specs={"j": spec}))
    assert record.kappa.value is None
    assert record.tnr.share is None
    assert not record.minimum_met
    assert "every label is True" in " ".join(record.warnings)


def test_labels_may_come_from_a_file_of_their_own(written):
    verdicts = written([{"item": f"t{i}", "value": "good" if i % 3 else "bad"} for i in range(30)])
    labels = written([{"item": f"t{i}", "label": "good" if i % 2 else "bad"} for i in range(30)], "labels.csv")
    record = only(evidence_from_files(verdicts, labels))
    assert record.judge == "verdicts"  # the file's name, where it names no judge
    assert record.judged == 30
    assert record.labels_from.endswith("labels.csv")


def test_each_judge_of_a_file_is_calibrated(written):
    rows = rows_of(["yes", "no"] * 10, ["yes", "no"] * 10)
    rows += [{**row, "judge": "k", "value": "yes"} for row in rows]
    first, second = map(calibrate, evidence_from_files(written(rows)))
    assert (first.judge, second.judge) == ("j", "k")
    assert (first.kappa.value, second.kappa.value) == (1, 0)
    assert "says yes of everything" in " ".join(second.warnings)


TEN = rows_of(["yes", "no"] * 5, ["yes", "no"] * 5)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*TEN, {**TEN[0], "value": "no"}], "verdicts.csv:12: 't0' is judged twice, first in line 2"),
        ([{**row, "rationale": "long"} for row in TEN][:9], "only 9 items"),  # other columns are no fault
        ([*TEN, {**TEN[0], "item": ""}], "verdicts.csv:12: this row has no item"),
        (TEN[:9], "only 9 items have both label and verdict; at least 10 are needed"),
        ([{**row, "value": ""} for row in TEN], "judge 'j' has no verdicts among 10 labelled items"),
        ([{**row, "value": "", "label": ""} for row in TEN], "verdicts.csv:2: judge 'j' has neither"),
        ([{**row, "order": "AB"} for row in TEN], "verdicts.csv:2: `order` goes with pairwise verdicts"),
        ([{**row, "annotators": "a"} for row in TEN], "did you mean 'annotator'?"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(written, rows, message):
    with pytest.raises(ConfigError) as error:
        only(evidence_from_files(written(rows)))
    assert message in str(error.value)


def test_values_that_the_judge_can_not_say_are_told_with_their_line(written):
    spec = LlmJudge(**LLM, value={"type": "integer", "minimum": 1, "maximum": 5})
    for row, message in (
        ({"value": 6}, "csv:12: value '6' is not one of 1, 2"),
        ({"label": "x"}, "csv:12: label 'x' is"),
    ):
        rows = [*rows_of([1, 2] * 5, [1, 2] * 5), {"item": "t10", "judge": "j", "value": 1, "label": 1, **row}]
        with pytest.raises(ConfigError) as error:
            evidence_from_files(written(rows), specs={"j": spec})
        assert message in str(error.value)


def test_labels_of_unknown_items_and_contradictions_are_told(written):
    verdicts = written(TEN)
    labels = [{"item": "t1", "label": "yes"}, {"item": "t11", "label": "yes"}, {"item": "zz", "label": "yes"}]
    with pytest.raises(ConfigError) as error:
        evidence_from_files(verdicts, written(labels, "labels.csv"))
    assert "labels.csv:3: there is no item 't11'" in str(error.value)
    assert "labels.csv:4: there is no item 'zz'" in str(error.value)
    twice = [{"item": "t1", "label": "yes"}, {"item": "t1", "label": "no"}]
    with pytest.raises(ConfigError, match=r"labels\.csv:3: 't1' is labelled no here and yes in line 2"):
        evidence_from_files(verdicts, written(twice, "labels.csv"))


def test_a_good_value_that_nobody_says_is_refused(written):
    with pytest.raises(ConfigError, match="--positive fine"):
        evidence_from_files(written(TEN), positive="fine")


def test_text_judges_can_not_be_calibrated(written):
    with pytest.raises(ConfigError, match="says texts"):
        evidence_from_files(written(TEN), specs={"j": LlmJudge(**LLM, value="text")})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "item", "from .csv and .jsonl"),
        ("a.csv", "item,value,label\n", "no rows"),
        ("a.csv", "item,value,label\na,yes\n", "a.csv:2: this row does not have 3 columns"),
        ("a.jsonl", '{"item": 1}\n{oops\n', "a.jsonl:2:2: no JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: a line is a JSON object"),
        ("a.jsonl", '{"item": 1, "label": [1]}\n', "a.jsonl:1: label is no single value"),
        ("a.csv", "item,value,order,label\na,A>B,up,A>B\n", "a.csv:2: the order 'up' is neither AB nor BA"),
    ],
)
def test_what_is_no_label_file_is_told(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        read_label_file(tmp_path / name)
    assert message in str(error.value)
