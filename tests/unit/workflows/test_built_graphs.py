"""Workflow files as graphs: routes, loops, forks, items, retries, limits."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langgraph.errors import GraphRecursionError

from tracegauge.config.errors import ConfigError
from tracegauge.workflows import count_calls

LOOP = """
state: {fields: {done: {type: bool}, more: {type: bool}}}
nodes:
  - {id: work, prompt: "work", outputs: [done]}
  - {id: judge, prompt: "judge", outputs: [more]}
edges:
  - {from: START, to: work}
  - {from: work, loop: {condition_field: done, max_iterations: 3, exit_to: judge}}
  - {from: judge, routes: [{condition: {logic: state.more}, to: work}, {condition: {logic: default}, to: END}]}
"""
NO, YES = {"done": False}, {"done": True}


@pytest.mark.parametrize(("done", "runs"), [([YES], 1), ([NO, YES], 2), ([NO, NO, YES], 3), ([NO, NO, NO], 3)])
def test_loop_ends_when_the_field_is_true_or_after_its_iterations(
    done: list[Any], runs: int, answers: Any, build: Any
) -> None:
    workflow = build(LOOP)
    answers.update(work=list(done), judge=[{"more": False}])
    assert count_calls(workflow, {}).by_node == {"work": runs, "judge": 1}


def test_loop_counts_anew_when_it_is_entered_again(answers: Any, build: Any) -> None:
    workflow = build(LOOP)
    answers.update(work=[NO] * 6 + [YES], judge=[{"more": True}, {"more": True}, {"more": False}])
    assert count_calls(workflow, {}).by_node == {"work": 7, "judge": 3}


def test_longest_loop_fits_in_the_steps_of_an_invocation(answers: Any, build: Any) -> None:
    workflow = build(LOOP.replace("max_iterations: 3", "max_iterations: 100"))
    answers.update(work=[NO] * 100, judge=[{"more": False}])
    assert count_calls(workflow, {}).by_node["work"] == 100


def test_routes_that_lead_back_without_end_are_stopped(answers: Any, build: Any) -> None:
    workflow = build(LOOP)
    answers.update(work=[YES] * 200, judge=[{"more": True}] * 200)
    with pytest.raises(GraphRecursionError):
        workflow.invoke({})


def test_what_the_graph_counts_with_is_not_in_its_output(answers: Any, build: Any) -> None:
    workflow = build(LOOP)
    answers.update(judge=[{"more": False}])
    assert set(workflow.invoke(workflow.inputs[0])) == {"done", "more"}


FORK = """
state: {fields: {a: {type: str}, b: {type: str}, c: {type: str}, d: {type: str}, e: {type: str}, again: {type: bool}}}
nodes:
  - {id: fork, prompt: fork, outputs: [a]}
  - {id: short, prompt: short, outputs: [b]}
  - {id: long, prompt: long, outputs: [c]}
  - {id: longer, prompt: "longer {c}", outputs: [d]}
  - {id: join, prompt: "join {b} {d}", outputs: [e, again]}
edges:
  - {from: START, to: fork}
  - {from: fork, to: [short, long]}
  - {from: short, to: join}
  - {from: long, to: longer}
  - {from: longer, to: join}
  - {from: join, routes: [{condition: {logic: state.again}, to: fork}, {condition: {logic: default}, to: END}]}
"""


def test_branches_of_different_length_meet_once_and_a_fork_can_be_gone_through_again(answers: Any, build: Any) -> None:
    workflow = build(FORK)
    answers.update(
        short=["B1", "B2"], longer=["D1", "D2"], join=[{"e": "1", "again": True}, {"e": "2", "again": False}]
    )
    assert count_calls(workflow, {}).by_node == dict.fromkeys(("fork", "short", "long", "longer", "join"), 2)
    assert [prompt for prompt in answers.prompts if prompt.startswith("join")] == ["join B1 D1", "join B2 D2"]


def test_a_branch_that_ends_early_is_not_waited_for(answers: Any, build: Any) -> None:
    workflow = build(FORK.replace("{from: short, to: join}", "{from: short, to: END}"))
    answers.update(join=[{"e": "1", "again": False}])
    assert set(count_calls(workflow, {}).by_node) == {"fork", "short", "long", "longer", "join"}


PARALLEL = """
state:
  fields:
    items: {type: "list[str]"}
    one: {type: str}
    all: {type: "list[str]", default: [before]}
    end: {type: str}
nodes:
  - {id: each, prompt: "each {item} {index} of {items}", outputs: [one]}
  - {id: after, prompt: "after {all}", outputs: [end]}
edges:
  - {from: START, parallel: {items_field: items, target_node: each, collect_field: all}}
  - {from: each, to: after}
  - {from: after, to: END}
"""


def test_items_are_collected_in_their_order(answers: Any, build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = build(PARALLEL)
    items = [f"i{n}" for n in range(8)]
    state = workflow.invoke(workflow.fitting({"items": items}))
    each = sorted(prompt for prompt in answers.prompts if prompt.startswith("each"))
    shown = '["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"]'
    assert each == [f"each i{n} {n} of {shown}" for n in range(8)]
    assert state["all"][0] == "before", "what was there before stays"
    from tracegauge.workflows import ScriptedChatModel

    assert state["all"][1:] == [ScriptedChatModel().invoke(prompt).text for prompt in each]


def test_without_items_the_workflow_goes_on(build: Any) -> None:
    workflow = build(PARALLEL)
    given = workflow.fitting({"items": []})
    assert count_calls(workflow, given).by_node == {"after": 1}
    assert workflow.invoke(given)["end"]


CHAIN = """
state: {fields: {a: {type: str}, b: {type: str}}}
nodes:
  - {id: first, prompt: first, outputs: [a]}
  - {id: second, prompt: "second {a}", outputs: [b]}
edges: [{from: START, to: first}, {from: first, to: second}, {from: second, to: END}]
"""


@pytest.mark.parametrize(("retries", "errors", "runs"), [(0, 1, 1), (1, 1, 2), (1, 2, 2), (2, 2, 3)])
def test_retries(retries: int, errors: int, runs: int, answers: Any, build: Any) -> None:
    workflow = build(f"{CHAIN}config: {{execution: {{max_retries: {retries}}}}}")
    answers.update(first=[OSError("down")] * errors)
    if errors > retries:
        with pytest.raises(OSError, match="down"):
            workflow.invoke({})
    else:
        assert workflow.invoke({})["b"]
    assert answers.prompts.count("first") == runs


def test_a_step_that_takes_too_long_is_an_error(build: Any) -> None:
    workflow = build(f"{CHAIN}config: {{execution: {{timeout: 0.05}}}}", latency_ms=300)
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        workflow.invoke({})
    assert time.perf_counter() - started < 10


def test_a_node_s_own_model_goes_before_the_workflow_s(build: Any) -> None:
    text = CHAIN.replace("prompt: first,", "prompt: first, llm: {scripted: {answer_characters: 10}},")
    workflow = build(f"{text}config: {{llm: {{scripted: {{answer_characters: 20, seed: 3}}}}}}")
    state = workflow.invoke({})
    assert (len(state["a"]), len(state["b"])) == (10, 20)


def test_seed_and_latency_of_the_caller_go_before_the_file_s(build: Any) -> None:
    text = f"{CHAIN}config: {{llm: {{scripted: {{latency_ms: 100000, seed: 3}}}}}}"
    fast = build(text, latency_ms=0)
    assert fast.invoke({}) == build(text, latency_ms=0).invoke({})
    assert fast.invoke({}) != build(text, latency_ms=0, model_seed=4).invoke({})


def test_threads_can_share_a_graph(build: Any) -> None:
    workflow = build(PARALLEL)
    inputs = [workflow.fitting({"items": [f"{n}", "x"]}) for n in range(20)]
    alone = [workflow.invoke(one) for one in inputs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(workflow.invoke, inputs)) == alone


def test_graphs_can_be_driven_asynchronously_and_streamed(build: Any) -> None:
    workflow = build(CHAIN)
    assert asyncio.run(workflow.graph.ainvoke({})) == workflow.invoke({})
    assert [list(update) for update in workflow.graph.stream({}, stream_mode="updates")] == [["first"], ["second"]]
    tokens = [chunk.text for chunk, _ in workflow.graph.stream({}, stream_mode="messages")]
    assert "".join(tokens) == workflow.invoke({})["a"] + workflow.invoke({})["b"]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message", "hint"),
    [
        ("prompt: first,", "prompt: first, tools: [calculater],", 6, 40, "unknown tool 'calculater'", "'calculator'"),
        ("prompt: first,", "prompt: first, tools: [calculator, {name: no.such:t}],", 6, 52, "importing no.such", ""),
        (
            "prompt: first,",
            "prompt: first, tools: [{name: calculator, config: {digits: 3}}],",
            6,
            40,
            "the tool 'calculator' has no setting 'digits'",
            "",
        ),
        (
            "prompt: first,",
            "prompt: first, llm: {provider: openai, model: m},",
            6,
            48,
            "'openai' needs an API key",
            "OPENAI_API_KEY",
        ),
        ("edges:", "config: {llm: {provider: anthropic, model: m}}\nedges:", 8, 26, "'anthropic' needs", ""),
    ],
)
def test_what_can_not_be_built_is_told_with_its_place(
    old: str, new: str, line: int, column: int, message: str, hint: str, build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(ConfigError) as caught:
        build(CHAIN.replace(old, new))
    if "package" not in caught.value.message:  # where the extra `providers` is not installed
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
