"""What a node asks, and what becomes of the answer."""

from typing import Any

import pytest

from tracegauge.config.workflow import Node, StateField
from tracegauge.workflows import count_calls
from tracegauge.workflows.answer_schema import answer_schema

FLOW = """
state:
  fields:
    topic: {type: str, required: true}
    person: {type: object, schema: {name: str, age: int, tags: "list[str]"}}
    text: {type: str}
    count: {type: int}
    share: {type: float}
    sure: {type: bool}
    names: {type: "list[str]"}
    sizes: {type: "dict[str, int]"}
nodes:
  - {id: ask, prompt: "ask {topic}", NODE}
edges: [{from: START, to: ask}, {from: ask, to: END}]
"""
GIVEN = {"topic": "tea"}


def flow(node: str) -> str:
    return FLOW.replace("NODE", node)


@pytest.mark.parametrize(
    ("outputs", "types"),
    [
        ("text", [str]),
        ("count", [int]),
        ("share", [float]),
        ("sure", [bool]),
        ("names", [list]),
        ("sizes", [dict]),
        ("person", [dict]),
        ("text, count, names, person", [str, int, list, dict]),
    ],
)
def test_without_output_schema_the_answer_is_as_the_fields_are(outputs: str, types: list[type], build: Any) -> None:
    workflow = build(flow(f"outputs: [{outputs}]"))
    state = workflow.invoke(workflow.fitting(GIVEN))
    assert [type(state[name]) for name in outputs.split(", ")] == types
    assert state["person"].keys() == {"name", "age", "tags"}
    assert count_calls(workflow, workflow.inputs[0]).llm_calls == 1


@pytest.mark.parametrize(
    ("node", "answer", "state"),
    [
        ("outputs: [count]", {"count": "3"}, {"count": 3}),
        ("outputs: [share]", {"share": 1}, {"share": 1.0}),
        ("outputs: [sure]", {"sure": "yes"}, {"sure": True}),
        ("outputs: [text]", "plain", {"text": "plain"}),
        ("outputs: [text], output_schema: {type: str}", "plain", {"text": "plain"}),
        ("outputs: [count], output_schema: {type: int}", {"count": 4}, {"count": 4}),
        (
            "outputs: [text, count], output_schema: {type: object, fields: "
            "[{name: text, type: str}, {name: why, type: str}, {name: count, type: int}]}",
            {"text": "t", "why": "w", "count": 5},
            {"text": "t", "count": 5},
        ),
        (
            "outputs: [person]",
            {"person": {"name": "Ada", "age": "36"}},
            {"person": {"name": "Ada", "age": 36, "tags": []}},
        ),
    ],
)
def test_answers_are_read_as_the_fields_types(
    node: str, answer: Any, state: dict[str, Any], answers: Any, build: Any
) -> None:
    workflow = build(flow(node))
    answers.update(ask=[answer])
    found = workflow.invoke(workflow.fitting(GIVEN))
    assert {name: found[name] for name in state} == state


@pytest.mark.parametrize(
    ("node", "answer", "message"),
    [
        ("outputs: [count]", {"count": "many"}, "node 'ask': the model's answer 'many' does not fit 'count'"),
        ("outputs: [count]", {"cuont": 3}, "node 'ask': the model's answer has no 'count'"),
        ("outputs: [names]", {"names": "a, b"}, "does not fit 'names'"),
        ("outputs: [person]", {"person": {"nam": "Ada"}}, "does not fit 'person'"),
        ("outputs: [count]", "no call at all", "node 'ask': the model gave no answer in the form"),
    ],
)
def test_answers_that_do_not_fit_are_errors(node: str, answer: Any, message: str, answers: Any, build: Any) -> None:
    workflow = build(flow(node))
    answers.update(ask=[answer])
    with pytest.raises(ValueError, match=message):
        workflow.invoke(workflow.fitting(GIVEN))


def test_inputs_give_parts_of_the_state_a_name(answers: Any, build: Any) -> None:
    node = 'inputs: {who: "{person.name}, {state.person.age}", topic: "not {topic}"}, outputs: [text]'
    workflow = build(flow(node).replace('"ask {topic}"', '"ask {who} about {topic} {{}}"'))
    workflow.invoke(workflow.fitting({**GIVEN, "person": {"name": "Ada", "age": 36}}))
    assert answers.prompts == ["ask Ada, 36 about not tea {}"]


def test_tools_are_called_and_their_results_read(answers: Any, build: Any) -> None:
    workflow = build(flow("outputs: [text], tools: [document_search, calculator]"))
    counts = count_calls(workflow, workflow.fitting(GIVEN))
    assert (counts.by_node, counts.llm_calls, counts.tool_calls) == ({"ask": 1}, 2, 1)


def test_tools_and_then_an_answer_in_a_form(answers: Any, build: Any) -> None:
    workflow = build(flow("outputs: [count, text], tools: [calculator]"))
    state = workflow.invoke(workflow.fitting(GIVEN))
    assert isinstance(state["count"], int)
    assert answers.prompts[0] == "ask tea"
    assert answers.prompts[-1] == "Give this answer in the form that is asked for."
    counts = count_calls(workflow, workflow.fitting(GIVEN))
    assert (counts.llm_calls, counts.tool_calls) == (3, 1)


def test_tool_errors_end_the_workflow_or_are_told_the_model(answers: Any, build: Any) -> None:
    fails = build(flow("outputs: [text], tools: [calculator]"))
    answers.update(ask=[{"expression": "1 / 0"}])
    with pytest.raises(Exception, match="can't be calculated"):
        fails.invoke(fails.fitting(GIVEN))
    goes_on = build(flow("outputs: [text], tools: [{name: calculator, on_error: continue}]"))
    answers.update(ask=[{"expression": "1 / 0"}])
    assert goes_on.invoke(goes_on.fitting(GIVEN))["text"]
    assert answers.prompts[-1] == "'1 / 0' can't be calculated: float division by zero"


def test_a_model_that_calls_tools_without_end_is_stopped(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracegauge.workflows.scripted._has_tool_result", lambda messages: False)
    workflow = build(flow("outputs: [text], tools: [calculator]"))
    with pytest.raises(RuntimeError, match="node 'ask': the model still calls tools after 10 rounds"):
        workflow.invoke(workflow.fitting(GIVEN))


def test_answer_schema_tells_the_model_what_the_file_tells() -> None:
    fields = {
        "person": StateField.model_validate(
            {"type": "object", "description": "who", "schema": {"name": {"type": "str", "description": "in full"}}}
        ),
        "count": StateField.model_validate({"type": "int", "description": "how many"}),
    }
    node = Node.model_validate({"id": "ask", "description": "Asks.", "prompt": "p", "outputs": ["person", "count"]})
    assert answer_schema(node, fields) == {
        "title": "ask",
        "description": "Asks.",
        "type": "object",
        "properties": {
            "person": {
                "type": "object",
                "properties": {"name": {"type": "string", "description": "in full"}},
                "required": ["name"],
                "additionalProperties": False,
                "description": "who",
            },
            "count": {"type": "integer", "description": "how many"},
        },
        "required": ["person", "count"],
        "additionalProperties": False,
    }
    text = Node.model_validate({"id": "ask", "prompt": "p", "outputs": ["count"], "output_schema": {"type": "str"}})
    assert answer_schema(text, fields) is None
