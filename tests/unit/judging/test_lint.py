"""What `judge lint` finds beyond the shape of a file."""

import json
from pathlib import Path

import pytest

from tracegauge.cli.judge.lint import lint
from tracegauge.config.judge_files import read_judge_files
from tracegauge.judging.checks import judge_faults, judge_warnings

LLM = "kind: llm\nmodel: openai:/gpt-4.1-mini\ninstructions: Is {{ outputs }} good?\n"
BUILTIN = "kind: builtin\nmodel: openai:/x\nscorer: "


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (LLM, "3:1", "the variable OPENAI_API_KEY holds no key"),
        (LLM + "api_key_env: MY_KEY", "6:14", "the variable MY_KEY holds no key"),
        (LLM + "sampling: {filter: oops}", "6:20", "MLflow can't parse this filter"),
        (LLM + "sampling: {filter: \"status = 'OK' OR status = 'ERROR'\"}", "6:20", "MLflow can't parse this filter"),
        (LLM.replace("gpt-4.1-mini", "my-own") + "budget: {usd: 1}", "6:9", "the price of openai:/my-own is not known"),
        (BUILTIN + "RelevanceToQueri", "5:9", "no built-in scorer 'RelevanceToQueri'"),
        (BUILTIN + "Guidelines\nparameters: {rules: [a]}", "5:9", "no parameter 'rules'"),
        ("kind: code\nfunction: nowhere.at_all:check", "4:11", "no source for the code judge"),
        ("kind: code\nfunction: checks.py:check\ncalibration: {dataset: none.jsonl}", "5:24", "no file 'none.jsonl'"),
    ],
)  # fmt: skip
def test_fault_and_its_place(
    text: str, place: str, message: str, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Path("checks.py").write_text("def check(trace): return True\n")
    Path("it.yaml").write_text(f'schema_version: "1.0"\nname: it\n{text}\n')
    faults = judge_faults(read_judge_files(["it.yaml"]))
    found = [fault for fault in faults if message in str(fault)]
    assert found, [str(fault) for fault in faults]
    assert str(found[0]).startswith(f"it.yaml:{place}: ") or place == "3:1"


def test_a_good_file_has_no_faults_but_perhaps_warnings(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    more = "sampling: {rate: 0, filter: \"tags.env = 'prod' AND status = 'OK'\"}\nbudget: {usd: 1}\n"
    Path("it.yaml").write_text(f'schema_version: "1.0"\nname: it\n{LLM.replace("good", "{{ expectations }}")}{more}')
    read = read_judge_files(["it.yaml"])
    assert judge_faults(read) == []
    assert [warning.partition(":")[2][:20] for warning in judge_warnings(read)] == [
        " sampling.rate is 0,",
        " traces without expe",
    ]


def test_lint_prints_json_for_scripts(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workdir / "checks.py").write_text("def short(outputs):\n    return len(str(outputs)) < 9\n")
    (workdir / "short.yaml").write_text('schema_version: "1.0"\nkind: code\nname: short\nfunction: checks.py:short\n')
    lint([str(workdir / "short.yaml")], as_json=True)
    (judge,) = json.loads(capsys.readouterr().out)
    assert {**judge, "digest": None} == {
        "judge": "short", "kind": "code", "value_type": "bool", "scope": "trace", "digest": None,
    }  # fmt: skip
    assert judge["digest"]
