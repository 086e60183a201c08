"""Bringing judges into a real SQLite store, with what goes wrong on the way."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.genai.scorers import Safety, get_scorer
from mlflow.genai.scorers.registry import list_scorer_versions
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.config.judge import load_judges
from tracegauge.judging.apply import apply, find_experiment, plan
from tracegauge.judging.registration import digest_of

JUDGES = {
    "polite": "kind: llm\nmodel: openai:/gpt-4.1-mini\ninstructions: Is {{ outputs }} polite?\n",
    "stars": "kind: llm\nmodel: openai:/gpt-4.1-mini\ninstructions: Rate {{ outputs }}.\n"
    "value: {type: integer, minimum: 1, maximum: 5}\n",
    "rules": "kind: guidelines\nmodel: openai:/gpt-4.1-mini\nguidelines: [Be short., Be kind.]\n",
    "relevant": "kind: builtin\nmodel: openai:/gpt-4.1-mini\nscorer: RelevanceToQuery\n",
    "quick": "kind: code\nfunction: my_checks:quick\n",
    "both": "kind: panel\nmembers: [polite, quick]\n",
}


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables: making them takes seconds, copying them does not."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def judges(workdir: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    shutil.copy(empty_store, "mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{workdir}/mlflow.db")  # MLflow keeps stores by their URI
    (workdir / "my_checks.py").write_text("def quick(trace):\n    return True\n")
    (workdir / "judges").mkdir()
    for name, text in JUDGES.items():
        write(name, text)
    return lambda: load_judges(["judges"])


def write(name: str, text: str) -> None:
    Path("judges", f"{name}.yaml").write_text(f'schema_version: "1.0"\nname: {name}\n{text}')


def actions(of: Any) -> dict[str, str]:
    return {step.name: step.action for step in of.steps}


def test_judges_are_registered_once_and_again_when_they_change(judges: Any) -> None:
    planned = plan(judges(), "0")
    assert actions(planned) == dict.fromkeys(JUDGES, "new") | {"quick": "ledger", "both": "ledger"}
    with pytest.raises(Exception, match="not found"):
        get_scorer(name="polite", experiment_id="0")
    done = apply(judges(), "0")
    assert actions(done) == actions(planned), "the plan said so"
    assert "a stock MLflow registers no panel judges" in {step.name: step.reason for step in done.steps}["both"]
    stars = get_scorer(name="stars", experiment_id="0")
    assert "The result is a whole number from 1 to 5." in stars.instructions
    assert digest_of(stars) == judges()["stars"].digest
    assert get_scorer(name="rules", experiment_id="0").guidelines == ["Be short.", "Be kind."]

    write("polite", JUDGES["polite"] + "budget: {calls: 10}\n")  # nothing that changes what it says
    write("stars", JUDGES["stars"].replace("Rate", "Rate the style of"))
    again = apply(judges(), "0")
    assert actions(again) == dict.fromkeys(JUDGES, "unchanged") | {
        "stars": "changed",
        "quick": "ledger",
        "both": "ledger",
    }
    versions = {name: len(list_scorer_versions(name=name, experiment_id="0")) for name in ("polite", "stars", "rules")}
    assert versions == {"polite": 1, "stars": 2, "rules": 1}


def test_what_others_registered_is_seen_and_left_alone(judges: Any) -> None:
    Safety(name="theirs").register(experiment_id="0")
    Safety(name="rules").register(experiment_id="0")
    planned = plan(judges(), "0")
    assert planned.store_only == ("theirs",)
    assert actions(planned)["rules"] == "changed"
    (reason,) = [step.reason for step in planned.steps if step.name == "rules"]
    assert "registered by someone else" in reason


def test_a_refused_start_leaves_nothing_behind(judges: Any) -> None:
    done = apply({"polite": judges()["polite"]}, "0", start=True)
    (step,) = done.steps
    assert step.action == "failed"
    assert "MLflow refused to start it" in step.reason
    assert "version 1, which was registered for it, is deleted again" in step.reason
    with pytest.raises(Exception, match="not found"):
        get_scorer(name="polite", experiment_id="0")
    apply({"polite": judges()["polite"]}, "0")
    (kept,) = apply({"polite": judges()["polite"]}, "0", start=True).steps
    assert "it stays registered as it was" in kept.reason
    assert len(list_scorer_versions(name="polite", experiment_id="0")) == 1


def test_a_judge_without_the_agreement_it_asks_for_is_refused(judges: Any) -> None:
    write("polite", JUDGES["polite"] + "calibration: {dataset: set.jsonl, minimum_kappa: 0.6}\n")
    only = {"polite": judges()["polite"]}
    (refused,) = apply(only, "0").steps
    assert refused.action == "refused"
    assert "has no calibration" in refused.reason
    (forced,) = apply(only, "0", force=True).steps
    assert forced.action == "new"
    assert "applied by force" in forced.notes[0]


def test_the_command_tells_what_becomes_of_each_judge(judges: Any, workdir: Path) -> None:
    def told(*more: str) -> tuple[int, list[str]]:
        store = ["--store", f"sqlite:///{workdir}/mlflow.db"]
        result = CliRunner().invoke(
            judge, ["apply", "judges", *store, *more], standalone_mode=False, catch_exceptions=False
        )
        return result.return_value, result.output.splitlines()

    Safety(name="theirs").register(experiment_id="0")
    _, printed = told("--dry-run", "--json")
    as_json = json.loads("\n".join(printed[printed.index("{") : printed.index("}") + 1]))
    assert {step["name"]: step["action"] for step in as_json["steps"]} == actions(plan(judges(), "0"))
    assert as_json["store_only"] == ["theirs"]
    digests = {name: spec.digest for name, spec in judges().items()}
    code, lines = told("--dry-run")
    assert code == 0
    assert f"+ polite new: digest {digests['polite']}" in lines
    assert (
        "· quick ledger: a stock MLflow registers no code judges: `tracegauge judge run` and `watch` score with it"
        in (lines)
    )
    assert "? theirs in the store only; left alone" in lines
    assert lines[-1] == "nothing was changed (--dry-run)"
    assert find_experiment("Default") == "0"
    assert find_experiment("nothing") is None
    assert [line[0] for line in told()[1] if line[0] != " "].count("+") == 4

    write("stars", JUDGES["stars"].replace("Rate", "Rate the style of"))
    code, lines = told("--start")
    new = judges()["stars"].digest
    assert code == 1
    (refused,) = [line for line in lines if line.startswith("✗ stars")]
    assert refused.startswith("✗ stars failed: MLflow refused to start it: ")
    assert refused.endswith("; version 2, which was registered for it, is deleted again")
    code, lines = told()
    assert code == 0
    assert f"~ stars changed: digest {digests['stars']} → {new}" in lines
    assert f"= polite unchanged: digest {digests['polite']}" in lines
    assert "    MLflow shows it the whole inputs and outputs, not what `extract` names" in lines
