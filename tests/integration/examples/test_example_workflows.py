"""Every example runs with the scripted model, and leaves a state that fits its declared types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tracegauge.config.shipped import shipped_folder
from tracegauge.config.workflow import StateField
from tracegauge.workflows import Workflow, count_calls, load_workflow

EXAMPLES = sorted(path.name for path in shipped_folder("examples").glob("*.yaml"))


def example(name: str) -> Workflow:
    return load_workflow(str(shipped_folder("examples") / name))


def assert_fits(values: Mapping[str, Any], fields: Mapping[str, StateField]) -> None:
    """No field too many, and each of exactly its type: an int is no bool, a text no number."""
    assert values.keys() <= fields.keys()
    for name, value in values.items():
        field = fields[name]
        if field.fields:
            assert_fits(value, field.fields)
        else:
            TypeAdapter(field.type.annotation).validate_python(value, strict=True)


def test_there_is_an_example_of_each_kind() -> None:
    kinds = {"tools", "routes", "loop", "fork_join", "parallel", "nested_state", "article_writer_mlflow"}
    assert {f"{kind}.yaml" for kind in (*kinds, "article_writer_sqlite")} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_final_state_fits_the_declared_types(name: str, workdir: Path) -> None:
    workflow = example(name)
    state = workflow.invoke(workflow.inputs[0])
    assert workflow.file is not None
    fields = workflow.file.state.fields
    assert state.keys() == fields.keys()
    assert_fits(state, fields)
    assert list(workdir.iterdir()) == [], "running a graph by itself writes nothing"


@pytest.mark.parametrize("name", EXAMPLES)
def test_same_input_gives_same_state(name: str) -> None:
    assert example(name).invoke(example(name).inputs[0]) == example(name).invoke(example(name).inputs[0])


def test_tools_are_called_and_answers_arrive() -> None:
    workflow = example("tools.yaml")
    calls = count_calls(workflow, workflow.inputs[0])
    # look_up and calculate: the model asks for the tool, sees the result, answers (2 calls each); reply: 1 call.
    assert (calls.llm_calls, calls.tool_calls) == (5, 2)
    assert all(workflow.invoke(workflow.inputs[0])[field] for field in ("findings", "estimate", "answer"))


def test_first_route_whose_condition_holds_is_taken() -> None:
    workflow = example("routes.yaml")
    taken = set()
    for number in range(12):
        given = {**workflow.inputs[0], "ticket": f"Invoice {number} has the wrong address."}
        state = workflow.invoke(given)
        ran = count_calls(workflow, given).by_node
        expected = _route(state["urgency"], state["needs_details"])
        assert ran == {"triage": 1, expected: 1}
        taken.add(expected)
    assert taken == {"escalate", "ask_back", "answer"}, "the tickets try every route"


def _route(urgency: float, needs_details: bool) -> str:
    """The example's routes in Python."""
    if urgency > 0.8:
        return "escalate"
    return "ask_back" if needs_details and not urgency > 0.5 else "answer"


@pytest.mark.parametrize("product", ["tidal power", "bread", "a compass", "glass", "paper", "bees"])
def test_loop_ends_when_its_field_is_true_or_after_four_rounds(product: str) -> None:
    workflow = example("loop.yaml")
    given = {**workflow.inputs[0], "product": product}
    rounds = count_calls(workflow, given).by_node["revise"]
    good_enough = workflow.invoke(given)["good_enough"]
    assert good_enough or rounds == 4
    assert 1 <= rounds <= 4


def test_branches_of_a_fork_meet_once() -> None:
    workflow = example("fork_join.yaml")
    calls = count_calls(workflow, workflow.inputs[0])
    reviews = ("review_cost", "review_legal", "review_security")
    assert calls.by_node == {**dict.fromkeys(reviews, 1), "recommend": 1}
    state = workflow.invoke(workflow.inputs[0])
    assert len({state[field] for field in ("cost_review", "legal_review", "security_review")}) == 3


def test_parallel_runs_once_per_item_and_collects_in_order() -> None:
    workflow = example("parallel.yaml")
    state = workflow.invoke(workflow.inputs[0])
    assert len(state["sections"]) == len(state["headings"]) > 1
    assert len(set(state["sections"])) == len(state["sections"]), "each item has a prompt of its own"
    assert state["section"] == "", "one item's answer is collected, not left in the state"
    assert count_calls(workflow, workflow.inputs[0]).by_node["write_section"] == len(state["headings"])


def test_nested_state_reaches_the_prompt() -> None:
    workflow = example("nested_state.yaml")
    order = {"number": 42, "items": ["lamp"], "days_late": 9, "customer": {"name": "Ada", "city": "Turin"}}
    seen: list[str] = []
    workflow.invoke({**workflow.inputs[0], "order": order}, {"callbacks": [_prompts(seen)]})
    assert seen[0].startswith('An order of ["lamp"] is 9 days late.')
    assert seen[1].startswith("Write a friendly letter to Ada in Turin about order 42.")


def _prompts(seen: list[str]) -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Prompts(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            seen.append(messages[0][-1].text)

    return Prompts()
