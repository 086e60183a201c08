"""Inputs: read from files, made up, and refused with their place where they don't fit the state."""

from pathlib import Path
from typing import Any

import pytest

from tracegauge.config.errors import ConfigError

FLOW = """
state:
  fields:
    topic: {type: str, required: true}
    count: {type: int, default: 2}
    sizes: {type: "dict[str, int]"}
    person: {type: object, schema: {name: {type: str, required: true}, age: int}}
nodes: [{id: ask, prompt: "ask {topic}", outputs: [topic]}]
edges: [{from: START, to: ask}, {from: ask, to: END}]
"""
REST = {"sizes": {}, "person": {"name": "", "age": 0}}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("one.yaml", "topic: tea\n", [{"topic": "tea", "count": 2, **REST}]),
        ("two.yaml", "- {topic: tea}\n- {topic: off, count: '7'}\n", [("tea", 2), ("off", 7)]),
        ("one.json", '{\n\t"topic": "tea",\n\t"count": 3\n}', [("tea", 3)]),
        ("list.json", '[{"topic": "a\\tb"}]', [("a\tb", 2)]),
    ],
)
def test_files_of_inputs(name: str, content: str, expected: list[Any], build: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    inputs = build(FLOW, inputs=str(tmp_path / name)).inputs
    wanted = [{"topic": one[0], "count": one[1], **REST} if isinstance(one, tuple) else one for one in expected]
    assert list(inputs) == wanted


def test_without_a_file_required_fields_are_made_up(build: Any) -> None:
    nested = FLOW.replace("{type: object, schema", "{type: object, required: true, schema")
    assert build(FLOW).inputs == ({"topic": "tidal power", "count": 2, **REST},)
    assert build(nested).inputs[0]["person"] == {"name": "tidal power", "age": 0}


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "message", "hint"),
    [
        ("i.yaml", "count: 3\n", 1, 1, "the input lacks the required field 'topic'", "topic: str (required)"),
        ("i.yaml", "topic: tea\ncuont: 3\n", 2, 1, "the input has an unknown field 'cuont'", "did you mean 'count'?"),
        (
            "i.yaml",
            "- topic: tea\n- topic: tea\n  count: many\n",
            3,
            10,
            "input 2 does not fit in the field 'count'",
            "",
        ),
        ("i.yaml", "- topic: tea\n- 5\n", 2, 3, "input 2 is 5, not a mapping", "field: value"),
        ("i.yaml", "topic: tea\nperson: {nam: Ada}\n", 2, 10, "an unknown field 'person.nam'", "did you mean 'name'?"),
        ("i.yaml", "topic: tea\nsizes: {a: b}\n", 2, 12, "does not fit in the field 'sizes.a'", ""),
        ("i.yaml", "[]\n", 1, 1, "the file has no inputs", "a list of mappings"),
        ("i.yaml", "", 1, 1, "the file is empty", ""),
        ("i.json", '{"topic": }', 1, 11, "this is not JSON", ""),
        ("i.json", '[{"topic": "tea"},\n {"topc": "tea"}]', 2, 3, "input 2 has an unknown field 'topc'", "'topic'"),
    ],
)
def test_inputs_that_do_not_fit(
    name: str, content: str, line: int, column: int, message: str, hint: str, build: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError) as caught:
        build(FLOW, inputs=str(tmp_path / name))
    assert message in caught.value.message
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(tmp_path / name), line, column)
    assert hint in (caught.value.hint or "")


def test_a_file_of_inputs_that_is_not_there(build: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        build(FLOW, inputs=str(tmp_path / "nothing.yaml"))


def test_values_from_the_command_line(build: Any) -> None:
    workflow = build(FLOW)
    assert workflow.fitting({"topic": "tea", "count": "5"}, "--input") == {"topic": "tea", "count": 5, **REST}
    with pytest.raises(ConfigError) as caught:
        workflow.fitting({"topc": "tea"}, "--input")
    assert str(caught.value).splitlines()[:2] == [
        "--input: the input has an unknown field 'topc'",
        "  did you mean 'topic'?",
    ]


def test_one_input_is_not_changed_by_another(build: Any) -> None:
    workflow = build(FLOW)
    first, second = workflow.fitting({"topic": "a"}), workflow.fitting({"topic": "b"})
    first["sizes"]["a"] = 1
    first["person"]["name"] = "Ada"
    assert (second["sizes"], second["person"]) == ({}, {"name": "", "age": 0})
