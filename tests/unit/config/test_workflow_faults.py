"""What can be wrong with a workflow file: each fault is told with its line and column, and with what would be right."""

from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError, ConfigWarning
from tracegauge.config.loading import load_workflow_file

# Every case changes this file in one place.
GOOD = """\
schema_version: "1.0"
flow: {name: f}
state:
  fields:
    topic: {type: str, required: true}
    score: {type: float, default: 0.5}
    done: {type: bool}
    tags: {type: "list[str]"}
    found: {type: list}
    person:
      type: object
      schema: {name: str, age: {type: int, default: 3}}
nodes:
  - id: write
    prompt: "About {topic} for {state.person.name}"
    outputs: [score]
  - id: check
    prompt: "Check {score}"
    outputs: [done]
edges:
  - {from: START, to: write}
  - {from: write, to: check}
  - {from: check, to: END}
"""
LAST_EDGES = "  - {from: write, to: check}\n  - {from: check, to: END}\n"


def fault_of(text: str, tmp_path: Path) -> ConfigError:
    file = tmp_path / "flow.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_workflow_file(file)
    assert caught.value.file == str(file)
    return caught.value


def test_the_file_that_the_cases_change_is_good(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(GOOD)
    assert [node.id for node in load_workflow_file(tmp_path / "flow.yaml").nodes] == ["write", "check"]


# old text, new text, line, column, what the message has, what the hint has
SHAPE = [
    ('schema_version: "1.0"\n', "", 1, 1, "the key 'schema_version' is missing", ""),
    ('"1.0"', "1.0", 1, 17, "Input should be '1.0'", 'write "1.0" in quotes'),
    ('"1.0"', '"2.0"', 1, 17, "'2.0' is unknown", "1.0"),
    ("flow: {name: f}", "flw: {name: f}", 2, 1, "unknown key 'flw'", "did you mean 'flow'?"),
    ("{name: f}", "{name: f, versoin: '1'}", 2, 17, "unknown key 'versoin'", "'version'"),
    ("{name: f}", "{name: f, version: 1.1}", 2, 26, "flow.version: a text is needed here", '"1.1" in quotes'),
    (
        "{name: f}",
        "{name: f, description: one, two}",
        2,
        35,
        "unknown key 'two'",
        "a text with a comma or colon needs quotes",
    ),
    ("{name: f}", "[f]", 2, 7, "flow: a mapping is needed", ""),
    ("topic: {type: str,", "topic: {typ: str,", 5, 13, "unknown key 'typ'", "'type'"),
    ("topic: {type: str,", "topic: {type: string,", 5, 19, "'string' is no type", ""),
    ("topic: {type: str,", "topic: {type: 5,", 5, 19, "a type is a text", ""),
    ("topic: {", "my topic: {", 5, 5, "'my topic' is no identifier", ""),
    ("score: {type: float,", "score: {type: float, required: true,", 6, 42, "either `required` or has a `default`", ""),
    ("default: 0.5", "default: high", 6, 35, "the default 'high' does not fit the type float", ""),
    ("{type: list}", "{type: list, schema: {a: str}}", 9, 25, "`schema` goes with type object", ""),
    ("name: str, age", "name: text, age", 12, 22, "'text' is no type", ""),
    ("{type: int, default: 3}", "{type: int, defualt: 3}", 12, 44, "unknown key 'defualt'", "'default'"),
    ("{type: int, default: 3}", "{type: int, default: [3]}", 12, 53, "the default [3] does not fit the type int", ""),
    ("topic: {type: str,", "type: {typ: str,", 5, 12, "unknown key 'typ'", "'type'"),
    ("- id: write", "- name: write", 14, 5, "nodes.0 needs the key 'id'", ""),
    ("- id: write", "- id: 1write", 14, 9, "'1write' is no identifier", ""),
    ("outputs: [score]", "outputs: []", 16, 14, "at least 1 is needed here", ""),
    ("outputs: [score]", "outputs: score", 16, 14, "nodes.0.outputs: a list is needed here", ""),
    ("outputs: [score]", "outputs: [score]\n    tools: [{on_error: go}]", 17, 13, "needs the key 'name'", ""),
    ("outputs: [score]", "outputs: [score]\n    tools: [{name: x, on_error: go}]", 17, 33, "'go' is unknown", "known"),
    ("outputs: [score]", "outputs: [score]\n    llm: {provider: openay}", 17, 21, "'openay' is unknown", "'openai'"),
    ("outputs: [score]", "outputs: [score]\n    llm: {temperature: 3}", 17, 24, "greater than 2", ""),
    ("outputs: [score]", "outputs: [score]\n    output_schema: {type: object}", 17, 21, "needs `fields`", ""),
    (
        "outputs: [score]",
        "outputs: [score]\n    output_schema: {type: str, fields: [{name: a, type: str}]}",
        17,
        32,
        "`fields` go with type object, not str",
        "",
    ),
    ("{from: START, to: write}", "{from: START}", 21, 5, "an edge has exactly one of", ""),
    ("to: write}", "to: write, loop: {condition_field: done, exit_to: END}}", 21, 30, "both `to` and `loop`", ""),
    ("to: write}", "to: [write]}", 21, 23, "two or more", ""),
    ("to: write}", "to: 5}", 21, 23, "edges.0.to: a list is needed here (given: 5)", ""),
    ("to: write}", "routes: []}", 21, 27, "at least 1 is needed here", ""),
    ("to: write}", "routes: [{condition: {logic: score >}, to: write}]}", 21, 48, "no condition", ""),
    ("to: write}", "routes: [{condition: {logic: 5}, to: write}]}", 21, 48, "a condition is a text", ""),
    ("to: write}", "loop: {max_iterations: 101, condition_field: done, exit_to: END}}", 21, 42, "greater than 100", ""),
    ("edges:", "observability: {mlflw: {}}\nedges:", 20, 17, "unknown key 'mlflw'", "'mlflow'"),
    ("edges:", "config: {execution: {timeout: 0}}\nedges:", 20, 31, "greater than 0", ""),
    ("edges:", "config: {llm: {provider: openai, scripted: {}}}\nedges:", 20, 34, "`scripted` goes with", ""),
    ("edges:", "observability: {}\nconfig: {observability: {}}\nedges:", 20, 1, "not in both", ""),
]

GRAPH = [
    ("{topic}", "{topik}", 15, 13, "the placeholder 'topik' names no state field", "did you mean 'topic'?"),
    ("{state.person.name}", "{state.person.nam}", 15, 13, "'person.nam'", "'person.name'"),
    ("{topic}", "{topic.first}", 15, 13, "goes into 'topic', which is a str", "only an object or a dict"),
    ("{topic}", "{ topic", 15, 13, "a lone '{'", ""),
    ("{topic}", "{item}", 15, 13, "'item' names no state field", ""),
    ("outputs: [score]", "outputs: [scor]", 16, 15, "there is no state field 'scor'", "'score'"),
    ("outputs: [score]", "outputs: [score, score]", 16, 22, "'score' is given twice", ""),
    (
        'prompt: "About {topic} for',
        'inputs: {x: "{topic}"}\n    prompt: "{state.x} {x} for',
        16,
        13,
        "the placeholder 'x' names no state field",
        "",
    ),
    (
        'prompt: "About {topic} for',
        'inputs: {x: "{topic}"}\n    prompt: "{x.y} for',
        16,
        13,
        "goes into 'x', which has no parts",
        "write {x}",
    ),
    ("outputs: [score]", "inputs: {x: '{topik}'}\n    outputs: [score]", 16, 17, "'topik'", "'topic'"),
    (
        "outputs: [score]",
        "outputs: [score]\n    output_schema: {type: str}",
        17,
        27,
        "the answer has str where",
        "float",
    ),
    (
        "outputs: [score]",
        "outputs: [score]\n    output_schema: {type: object, fields: [{name: score, type: str}]}",
        17,
        64,
        "the answer has str where the state field 'score' has float",
        "write float",
    ),
    (
        "outputs: [score]",
        "outputs: [score]\n    output_schema: {type: object, fields: [{name: scor, type: float}]}",
        16,
        15,
        "the output 'score' is no field of output_schema",
        "'scor'",
    ),
    (
        "outputs: [score]",
        "outputs: [score, topic]\n    output_schema: {type: float}",
        17,
        5,
        "one value can't fill several outputs",
        "",
    ),
    ("id: check", "id: write", 17, 9, "there are two nodes 'write'", ""),
    ("id: check", "id: __start__", 17, 9, "a node can't be called __start__", ""),
    (
        "outputs: [score]",
        "outputs: [score]\n    llm: {provider: openai}",
        17,
        21,
        "the provider 'openai' needs the name of a model",
        "add `model`",
    ),
    ("edges:", "config: {llm: {provider: google}}\nedges:", 20, 26, "the provider 'google' needs the name", "`model`"),
    ("id: check", "id: END", 17, 9, "a node can't be called END", ""),
    ("from: write", "from: wriet", 22, 12, "there is no node 'wriet'", "'write'"),
    ("to: check}", "to: chekc}", 22, 23, "there is no node 'chekc'", "'check'"),
    ("to: check}", "to: START}", 22, 23, "no edge leads to START", ""),
    ("from: check", "from: END", 23, 12, "no edge leads from END", ""),
    ("{from: START, to: write}", "{from: check, to: write}", 20, 1, "no edge leads from START", "START"),
    ("{from: START, to: write}", "{from: START, to: [write, write]}", 21, 23, "leads to each node once", ""),
    ("{from: write, to: check}", "{from: START, to: check}", 22, 12, "START has an edge already", "for a fork"),
    (
        LAST_EDGES,
        "  - {from: write, to: END}\n  - {from: check, to: END}\n",
        17,
        9,
        "no way leads from START to 'check'",
        "",
    ),
    (LAST_EDGES, "  - {from: write, to: check}\n", 14, 9, "no way leads from 'write' to END", ""),
    ("to: check}", "routes: [{condition: {logic: state.done}, to: check}]}", 22, 19, "no `default`", "logic: default"),
    (
        "to: check}",
        "routes: [{condition: {logic: default}, to: check}, {condition: {logic: state.done}, to: END}]}",
        22,
        70,
        "no route after `default`",
        "",
    ),
    (
        "to: check}",
        "routes: [{condition: {logic: state.dne}, to: check}, {condition: {logic: default}, to: END}]}",
        22,
        48,
        "the condition's field 'dne' names no state field",
        "'done'",
    ),
    (
        "to: check}",
        "routes: [{condition: {logic: state.done}, to: chck}, {condition: {logic: default}, to: END}]}",
        22,
        65,
        "there is no node 'chck'",
        "'check'",
    ),
    ("to: check}", "loop: {condition_field: score, exit_to: check}}", 22, 43, "'score' is a float, not a bool", ""),
    ("to: check}", "loop: {condition_field: dun, exit_to: check}}", 22, 43, "there is no state field 'dun'", "'done'"),
    ("to: check}", "loop: {condition_field: done, exit_to: write}}", 22, 58, "leads out to another node", ""),
    (
        "START, to: write}",
        "START, loop: {condition_field: done, exit_to: write}}",
        21,
        19,
        "START can't be run again",
        "",
    ),
    (
        "to: check}",
        "parallel: {items_field: topic, target_node: check, collect_field: found}}",
        22,
        43,
        "'topic' is a str, not a list",
        "",
    ),
    (
        "to: check}",
        "parallel: {items_field: tags, target_node: chek, collect_field: found}}",
        22,
        62,
        "there is no node 'chek'",
        "'check'",
    ),
    (
        "to: check}",
        "parallel: {items_field: tags, target_node: check, collect_field: tags}}",
        22,
        84,
        "different fields",
        "",
    ),
    (
        "outputs: [done]\nedges:\n  - {from: START, to: write}\n  - {from: write, to: check}",
        "outputs: [found]\nedges:\n  - {from: START, to: write}\n"
        "  - {from: write, parallel: {items_field: tags, target_node: check, collect_field: found}}",
        19,
        15,
        "no node writes it",
        "",
    ),
    (
        LAST_EDGES,
        "  - {from: write, parallel: {items_field: tags, target_node: check, collect_field: found}}\n"
        "  - {from: check, routes: [{condition: {logic: default}, to: END}]}\n",
        23,
        5,
        "its own edge has `to`",
        "next node",
    ),
    (
        "{from: START, to: write}\n" + LAST_EDGES,
        "{from: START, to: [write, check]}\n"
        "  - {from: write, parallel: {items_field: tags, target_node: check, collect_field: found}}\n"
        "  - {from: check, to: END}\n",
        21,
        5,
        "'check' runs once per item: no other edge leads there",
        "",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "column", "message", "hint"), SHAPE + GRAPH)
def test_fault_and_its_place(
    old: str, new: str, line: int, column: int, message: str, hint: str, tmp_path: Path
) -> None:
    assert GOOD.count(old) == 1, "the case changes one place"
    fault = fault_of(GOOD.replace(old, new), tmp_path)
    assert message in fault.message
    assert (fault.line, fault.column) == (line, column), str(fault)
    assert hint in (fault.hint or "")


def test_item_is_a_name_of_its_own_in_parallel(tmp_path: Path) -> None:
    text = GOOD.replace("to: check}", "parallel: {items_field: tags, target_node: check, collect_field: found}}")
    (tmp_path / "flow.yaml").write_text(text.replace("Check {score}", "Check {item} of {index}"))
    load_workflow_file(tmp_path / "flow.yaml")
    fault = fault_of(text.replace("    done:", "    item: {type: int}\n    done:"), tmp_path)
    assert "no field can be called 'item'" in fault.message
    assert (fault.line, fault.column) == (7, 5)


def test_nodes_that_run_at_the_same_time_write_different_fields(tmp_path: Path) -> None:
    text = GOOD.replace("{from: START, to: write}", "{from: START, to: [write, check]}")
    text = text.replace("{from: write, to: check}", "{from: write, to: END}")
    (tmp_path / "flow.yaml").write_text(text)
    load_workflow_file(tmp_path / "flow.yaml")
    fault = fault_of(text.replace("outputs: [done]", "outputs: [score]"), tmp_path)
    assert fault.message == "'write' and 'check' run at the same time and both write 'score'"
    assert (fault.line, fault.column) == (19, 15)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("{topic}", "{topik}").replace("[score]", "[scor]").replace("to: END", "to: EDN")
    fault = fault_of(text, tmp_path)
    assert [one.line for one in (fault, *fault.others)] == [15, 16, 23]
    file = tmp_path / "flow.yaml"
    assert str(fault).splitlines() == [
        f"{file}:15:13: the placeholder 'topik' names no state field",
        "  did you mean 'topic'?",
        f"{file}:16:15: there is no state field 'scor'",
        "  did you mean 'score'?",
        f"{file}:23:23: there is no node 'EDN'",
        "  did you mean 'END'?",
    ]


def test_many_faults_fit_on_one_screen(tmp_path: Path) -> None:
    fields = "".join(f"    field_{i}: {{type: strng}}\n" for i in range(100))
    fault = fault_of(GOOD.replace("    done:", f"{fields}    done:"), tmp_path)
    assert len(str(fault).splitlines()) <= 24
    assert str(fault).endswith("… and 80 more")


def test_keys_that_are_not_implemented_get_one_warning(tmp_path: Path) -> None:
    text = GOOD.replace("outputs: [done]", "outputs: [done]\n    sandbox: {cpu: 2}\n    optimize: true")
    file = tmp_path / "flow.yaml"
    file.write_text(text + "memory: {kind: vector}\nconfig: {storage: {}, llm: {provider: scripted}}\n")
    with pytest.warns(ConfigWarning) as warned:
        workflow = load_workflow_file(file)
    assert [str(one.message) for one in warned] == [
        f"{file}:20:5: tracegauge does not implement and ignores: "
        "nodes.1.sandbox, nodes.1.optimize, memory, config.storage"
    ]
    assert workflow.config.llm.provider == "scripted"


def test_a_known_key_in_a_wrong_place_is_unknown(tmp_path: Path) -> None:
    fault = fault_of(GOOD.replace("flow: {name: f}", "flow: {name: f, memory: {}}"), tmp_path)
    assert fault.message == "unknown key 'memory'"
    assert (fault.line, fault.column) == (2, 17)


@pytest.mark.parametrize(
    ("content", "message", "line", "column"),
    [
        (b"flow: \xff\n", "byte 0xff is not UTF-8", 1, 7),
        (b"a: 1\n\xc3\xa9: \xff\n", "byte 0xff is not UTF-8", 2, 4),
        (b"a: \x01\n", "#x0001 is not allowed", 1, 4),
    ],
)
def test_bytes_that_are_no_text(content: bytes, message: str, line: int, column: int, tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_workflow_file(file)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_workflow_file(tmp_path / "nothing.yaml")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load_workflow_file(tmp_path)
