"""Judges on their own calibration sets and against people in a store, through the command line and a mock LLM."""

import json

import mlflow
import pytest
import yaml
from mlflow.entities import AssessmentSource
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import load_judges
from tracegauge.judging.assessment_keys import JUDGE_DIGEST
from tracegauge.judging.judge_records import calibration_of, card_of, why_not_trusted
from tracegauge.mock_llm.script import Fault, MockScript, Rule
from tracegauge.results.calibration import MOCK_NOTE, SYNTHETIC_NOTE

YES, NO = {"rationale": "r", "result": True}, {"rationale": "r", "result": False}
# Right of good answers, and of bad ones as long as they are neither long nor polite.
RULES = (
    Rule(match="do not hesitate", answer=YES),
    Rule(match="bad answer 1\\d", answer=YES),
    Rule(match="bad", answer=NO),
    Rule(match="", answer=YES),
)


def run(*arguments):
    result = CliRunner().invoke(judge, list(arguments), standalone_mode=False, catch_exceptions=False)
    return result.return_value, result.stdout


@pytest.fixture
def helpful(workdir, start_mock_llm):
    """`helpful.yaml` with a calibration set of 20 good and 20 bad answers, and a mock LLM that errs in a known way."""
    mock = start_mock_llm(MockScript(rules=RULES))
    return written(workdir, mock.url)


def written(folder, base_url, **more):
    examples = [
        {"item": f"{word}-{i}", "label": word == "good", "source": "synthetic", "inputs": "Why?",
         "outputs": f"A {word} answer {i}. " + "It goes on. " * i}
        for word in ("good", "bad")
        for i in range(20)
    ]  # fmt: skip
    (folder / "set.jsonl").write_text("".join(json.dumps(one) + "\n" for one in examples))
    file = folder / "helpful.yaml"
    spec = {
        "schema_version": "1.0", "kind": "llm", "name": "helpful", "model": "openai:/mock-model", "base_url": base_url,
        "instructions": "Is the answer good? {{ inputs }} {{ outputs }}", "value": "bool",
        "calibration": {"dataset": "set.jsonl", "minimum_kappa": 0.6}, **more,
    }  # fmt: skip
    file.write_text(yaml.safe_dump(spec))
    return str(file)


def test_a_judge_is_calibrated_on_its_own_set(helpful):
    code, shown = run("calibrate", helpful)
    # 10 of the 20 bad answers, those of two digits, are called good: kappa (0.75 - 0.5) / 0.5
    assert code == 1
    for text in (
        MOCK_NOTE,
        SYNTHETIC_NOTE,
        "0.750 [0.598, 0.858] 30 of 40",
        "minimum kappa of 0.6: NOT met",
        "bad-10",
    ):
        assert text in " ".join(shown.split())
    (spec,) = load_judges([helpful]).values()
    record = calibration_of(spec)
    assert record.kappa.value == pytest.approx(0.5)
    assert (record.tpr.count, record.tnr.count, record.mock, record.label_source) == (20, 10, True, "synthetic")
    assert [one.item for one in record.disagreements] == [f"bad-{i}" for i in range(10, 20)]
    assert "it was 0.50 on 40 synthetic labels" in why_not_trusted(spec)


def test_an_audit_finds_what_sways_a_judge(helpful):
    code, shown = run("audit", helpful, "--repeats", "2", "--json")
    (card,) = json.loads(shown)
    assert code is None
    assert card["judgements"] == 40 * 4
    assert (card["flips"]["count"], card["flips"]["n"]) == (0, 40)
    by_name = {one["name"]: one for one in card["perturbations"]}
    # The ten short bad answers are called good as soon as they are polite.
    assert by_name["padding"]["changed"]["count"] == 10
    assert by_name["padding"]["mean_shift"] == pytest.approx(10 / 40)
    assert by_name["formatting"]["changed"]["count"] == 0
    assert card["length"]["against_labels"]
    assert card["length"]["interval"][0] > 0  # longer answers are judged better than their labels
    assert card["parse_failures"]["count"] == 0
    assert card["warnings"] == [MOCK_NOTE]
    (spec,) = load_judges([helpful]).values()
    assert card_of(spec).digest == spec.digest
    text = run("audit", helpful, "--repeats", "2", "--limit", "12")[1]
    for line in (
        "repeats do not all agree",
        "padding changes the verdict",
        "latency p50, p95",
        "mock-model",
        MOCK_NOTE,
    ):
        assert line in text


def test_a_judge_that_changes_its_mind_is_found_out(workdir, start_mock_llm):
    # One answer after the other, whatever is asked: yes to the first twelve contents, then no.
    mind = Rule(match="", answers=(*[YES] * 12, *[NO] * 200))
    file = written(workdir, start_mock_llm(MockScript(rules=(mind,))).url)
    (card,) = json.loads(run("audit", file, "--repeats", "3", "--limit", "12", "--json")[1])
    assert (card["flips"]["count"], card["flips"]["n"]) == (12, 12)
    assert card["repeat_disagreement"] == pytest.approx(2 / 3)  # of yes, no, no two pairs of three differ


def test_failures_are_counted_and_never_scores(workdir, start_mock_llm):
    faults = (Fault(kind="wrong_type", match="bad answer 1\\d"),)
    file = written(workdir, start_mock_llm(MockScript(rules=RULES, faults=faults)).url)
    run("calibrate", file)
    (spec,) = load_judges([file]).values()
    record = calibration_of(spec)
    assert (record.labelled, record.judged, record.missing) == (40, 30, 10)
    assert any("10 out_of_type" in one or "10 malformed" in one for one in record.warnings)
    (card,) = json.loads(run("audit", file, "--repeats", "2", "--json")[1])
    assert card["parse_failures"]["count"] >= 20
    assert card["flips"]["n"] == 30


def test_an_endpoint_that_is_not_there_is_told(workdir):
    file = written(workdir, "http://127.0.0.1:9/v1", retry={"attempts": 1})
    for command in ("calibrate", "audit"):
        with pytest.raises(ConfigError, match="failed on every"):
            run(command, file)
    assert not (workdir / "calibrations").exists()


def test_an_unsteady_pairwise_judge_that_prefers_the_first(workdir, start_mock_llm):
    """Prefers whatever stands first, but for items 0 to 4, where it sees which one is better."""
    rules = (
        Rule(match=r'"A": "better', answer={"rationale": "r", "result": "A>B"}),
        Rule(match=r'"B": "better', answer={"rationale": "r", "result": "B>A"}),
        Rule(match="", answer={"rationale": "r", "result": "A>B"}),
    )
    file = written(
        workdir,
        start_mock_llm(MockScript(rules=rules)).url,
        value={"type": "categories", "categories": ["A>B", "B>A", "A=B"]},
    )
    examples = [
        {"item": f"q{i}", "label": "A>B", "source": "synthetic", "inputs": "Why?",
         "outputs": {"A": f"{'better' if i < 5 else 'so'} {i}", "B": "so"}}
        for i in range(20)
    ]  # fmt: skip
    (workdir / "set.jsonl").write_text("".join(json.dumps(one) + "\n" for one in examples))
    (card,) = json.loads(run("audit", file, "--repeats", "2", "--json")[1])
    (swapped,) = card["perturbations"]
    assert swapped["name"] == "swapped"
    assert (swapped["changed"]["count"], swapped["changed"]["n"]) == (15, 20)


def test_a_judge_is_held_against_people_in_a_store(workdir, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    file = written(workdir, "http://127.0.0.1:9/v1")
    (spec,) = load_judges([file]).values()
    uri = f"sqlite:///{workdir}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("support")
    ids = []
    for i in range(20):
        with mlflow.start_span("agent") as span:
            span.set_inputs(f"question {i}")
        ids.append(span.trace_id)
        said = AssessmentSource("LLM_JUDGE", "openai:/m")
        mine = {JUDGE_DIGEST: spec.digest}
        if i < 18:
            mlflow.log_feedback(trace_id=ids[-1], name="helpful", value=i % 2 == 0, source=said, metadata=mine)
        other = {JUDGE_DIGEST: "another"}
        mlflow.log_feedback(trace_id=ids[-1], name="helpful", value=False, source=said, metadata=other)
        for person, value in (("ann", i % 2 == 0), ("ben", (i % 2 == 0) != (i < 2)), ("cem", "maybe")):
            mlflow.log_feedback(trace_id=ids[-1], name="helpful", value=value, source=AssessmentSource("HUMAN", person))
    code, shown = run("calibrate", file, "--store", uri, "--experiment", "support", "--json")
    (record,) = json.loads(shown)
    assert code == 0
    # ann and ben differ on two, which have no majority; two have no verdict of this digest.
    assert (record["labelled"], record["judged"], record["missing"]) == (20, 16, 2)
    assert record["annotators"]["ties"] == 2
    assert record["annotators"]["count"] == 2
    assert record["kappa"]["value"] == 1
    assert record["label_source"] == "human"
    assert any("20 labels are not of the judge's type" in one for one in record["warnings"])
    assert any("20 assessments named helpful are of other versions" in one for one in record["warnings"])

    (workdir / "labels.csv").write_text("item,label\n" + "".join(f"{one},true\n" for one in ids))
    code, shown = run("calibrate", file, "--store", uri, "--labels", "labels.csv", "--json")
    (record,) = json.loads(shown)
    assert code == 1  # one class only: kappa is not known
    assert record["base_rate"]["count"] == 18
    (workdir / "labels.csv").write_text(f"item,label\n{ids[0]},true\ntr-unknown,true\n")
    with pytest.raises(ConfigError, match=r"labels\.csv:3: there is no trace 'tr-unknown' in sqlite"):
        run("calibrate", file, "--store", uri, "--labels", "labels.csv")
    mlflow.set_experiment("empty")
    with pytest.raises(ConfigError, match="'helpful' has no verdicts among 0 labelled items"):
        run("calibrate", file, "--store", uri, "--experiment", "empty")


def test_what_is_missing_is_told(workdir):
    (workdir / "code.yaml").write_text(
        "schema_version: '1.0'\nkind: code\nname: code\nfunction: checks.py:check\nvalue: bool\n"
    )
    with pytest.raises(ConfigError, match="none of these judges names a calibration set"):
        run("calibrate", "code.yaml")
