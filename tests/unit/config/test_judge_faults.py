"""What can be wrong with a judge file, told with its line and column; and what makes another judge of it."""

from pathlib import Path
from typing import Any

import pytest

from tracegauge.config.durations import duration_s
from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import LlmJudge, PanelJudge, load_judges
from tracegauge.config.judge_files import read_judge
from tracegauge.config.yaml_file import parse_yaml

GOOD = """\
schema_version: "1.0"
kind: llm
name: polite
description: Is it polite?
model: openai:/gpt-4.1-mini
instructions: |
  Is {{ outputs }} a polite answer
  to {{ inputs }}?
value: {type: categories, categories: [rude, polite], ordered: true}
passes: [polite]
sampling: {rate: 0.5, filter: "tags.a = 'b'", max_age: 7d}
budget: {calls: 100, usd: 1.5}
extract: {outputs: answer.text}
inference_params: {temperature: 0}
"""


def judge(text: str) -> Any:
    return read_judge(parse_yaml(text, "judge.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message", "hint"),
    [
        ("{{ inputs }}", "{{ input }}", 8, 6, "unknown variable {{ input }}", "'inputs'"),
        ("{{ inputs }}", "{{ conversation }}", 7, 6, "can't stand beside {{ outputs }}", "expectations"),
        ("{{ outputs }} a polite answer\n  to {{ inputs }}", "it polite", 6, 15, "without a variable", "{{ inputs }}"),
        ("kind: llm", "kind: lmm", 2, 7, "'lmm' is unknown", "'llm'"),
        ("kind: llm\n", "", 1, 1, "the key 'kind' is missing", "panel"),
        ("sampling:", "samplng:", 11, 1, "unknown key 'samplng'", "'sampling'"),
        ("rate: 0.5", "rate: 5", 11, 18, "sampling.rate", ""),
        ("7d", "a week", 11, 56, "sampling.max_age", ""),
        ("usd: 1.5", "euros: 1.5", 12, 22, "unknown key 'euros'", "usd"),
        ("[rude, polite], ordered", "[rude], ordered", 9, 39, "at least two different categories", ""),
        ("categories: [rude, polite], ", "", 9, 1, "`categories` goes with type categories", "[good, bad]"),
        ("[polite]", "[polight]", 10, 9, "'polight' is none of the categories", ""),
        ("passes: [polite]", "passes: true", 10, 9, "`passes` is a list of categories", ""),
        ("model: openai:/gpt-4.1-mini", "model: gpt-4.1-mini", 5, 8, "model", ""),
        ("model: openai:/gpt-4.1-mini", "api_key: sk-123", 5, 1, "unknown key 'api_key'", "'api_key_env'"),
        ("model: openai:/gpt-4.1-mini", "api_key_env: sk-proj-123", 5, 14, "api_key_env", ""),
    ],
)  # fmt: skip
def test_fault_and_its_place(old: str, new: str, line: int, column: int, message: str, hint: str) -> None:
    assert GOOD.count(old) == 1, "the case changes one place"
    with pytest.raises(ConfigError) as caught:
        judge(GOOD.replace(old, new))
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("polite answer", "kind answer"),
        ("[rude, polite], ordered: true", "[rude, polite]"),
        ("gpt-4.1-mini", "gpt-4.1"),
        ("temperature: 0", "temperature: 1"),
        ("answer.text", "answer"),
        ("name: polite", "name: politeness"),
        ("schema", "base_url: http://localhost:8000/v1\nschema"),
        ("schema", "rationale_first: false\nschema"),
    ],
)
def test_what_changes_verdicts_changes_the_digest(old: str, new: str) -> None:
    assert judge(GOOD.replace(old, new, 1)).digest != judge(GOOD).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate: 0.5", "rate: 1"),
        ("calls: 100", "calls: 9"),
        ("Is it polite?", "Politeness"),
        ("schema", "timeout_s: 5\nschema"),
        ("schema", "retry: {attempts: 1}\nschema"),
        ("schema", "calibration: {minimum_kappa: 0.6}\nschema"),
        ("passes: [polite]\n", ""),
    ],
)
def test_what_does_not_change_verdicts_keeps_the_digest(old: str, new: str) -> None:
    assert judge(GOOD.replace(old, new, 1)).digest == judge(GOOD).digest


def test_the_digest_is_the_same_on_every_machine() -> None:
    assert judge(GOOD).digest == "0cdf7873f74e2e0d"


def test_which_verdicts_are_good() -> None:
    assert [judge(GOOD).good(value) for value in ("polite", "rude")] == [True, False]
    stars = GOOD.replace(
        "{type: categories, categories: [rude, polite], ordered: true}", "{type: integer, minimum: 1, maximum: 5}"
    )
    assert [judge(stars.replace("[polite]", '">= 4"')).good(value) for value in (3, 4, 5)] == [False, True, True]
    assert judge(stars.replace("passes: [polite]\n", "")).good(5) is None
    plain = GOOD.replace("{type: categories, categories: [rude, polite], ordered: true}", "bool")
    assert judge(plain.replace("passes: [polite]\n", "")).good(True) is True
    assert judge(plain.replace("[polite]", "false")).good(True) is False


def test_durations() -> None:
    assert [duration_s(text) for text in ("90s", "15m", "12h", "7d")] == [90, 900, 43_200, 604_800]


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(f'schema_version: "1.0"\nname: {name}\n{text}')
    return folder


MEMBER = "kind: llm\nmodel: openai:/gpt-4.1-mini\ninstructions: Is {{ outputs }} good?\n"


def test_a_folder_is_loaded_with_its_panels(tmp_path: Path) -> None:
    panel = "kind: panel\nmembers: [one, two]\non_tie: false\n"
    judges = load_judges([written(tmp_path, one=MEMBER, two=MEMBER, all=panel)])
    assert set(judges) == {"one", "two", "all"}
    assert isinstance(judges["all"], PanelJudge)
    assert judges["all"].value.type == "bool"
    before = judges["all"].digest
    written(tmp_path, two=MEMBER.replace("good", "fine"))
    assert load_judges([tmp_path])["all"].digest != before


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        ("members: [one, tow]", "no judge 'tow'"),
        ("members: [one, one]", "named twice"),
        ("members: [one, stars]", "does not say the same type of value"),
        ("members: [one, talk]", "does not say the same type of value"),
        ("members: [one, two]\ncombine: median", "a median needs members that say numbers"),
        ("members: [one, two]\nquorum: 3", "the quorum is more than the 2 members"),
        ("members: [one, two]\non_tie: maybe", "the members never say 'maybe'"),
        ("members: [one, outer]", "is a panel itself"),
    ],
)
def test_faults_of_panels(panel: str, message: str, tmp_path: Path) -> None:
    stars = f"{MEMBER}value: {{type: integer, minimum: 1, maximum: 5}}\n"
    talk = MEMBER.replace("outputs", "conversation")
    outer = "kind: panel\nmembers: [one, two]\n"
    written(tmp_path, one=MEMBER, two=MEMBER, stars=stars, talk=talk, outer=outer, all=f"kind: panel\n{panel}\n")
    with pytest.raises(ConfigError) as caught:
        load_judges([tmp_path])
    assert message in str(caught.value)


def test_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, one=MEMBER.replace("model", "modle"), two=MEMBER.replace("outputs", "output"))
    with pytest.raises(ConfigError) as caught:
        load_judges([tmp_path])
    assert "one.yaml:4:1: unknown key 'modle'" in str(caught.value)
    assert "two.yaml:5:18: unknown variable {{ output }}" in str(caught.value)


def test_two_judges_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, one=MEMBER)
    (tmp_path / "other.yaml").write_text(f'schema_version: "1.0"\nname: one\n{MEMBER}')
    with pytest.raises(ConfigError, match="two judges 'one'"):
        load_judges([tmp_path])


def test_model_and_endpoint_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, one=MEMBER.replace("model: openai:/gpt-4.1-mini\n", ""))
    with pytest.raises(ConfigError, match="this judge has no `model`"):
        load_judges([tmp_path])
    monkeypatch.setenv("TRACEGAUGE_JUDGE_MODEL", "openai:/local")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    one = load_judges([tmp_path])["one"]
    assert isinstance(one, LlmJudge)
    assert (one.model, one.base_url) == ("openai:/local", "http://127.0.0.1:8000/v1")
    given = load_judges([tmp_path], "anthropic:/claude")["one"]
    assert isinstance(given, LlmJudge)
    assert (given.model, given.base_url) == ("anthropic:/claude", None)
    assert given.digest != one.digest, "a mock's verdicts are another judge's than those of a model"
