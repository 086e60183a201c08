"""Invoking workflows: in threads, with and without event loops, with context, with checkpoints."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from tracegauge.workflows import Workflow
from tracegauge.workflows.event_loop import run_in_thread_loop

who: ContextVar[str] = ContextVar("who", default="nobody")


class State(TypedDict, total=False):
    x: str
    loop: int
    thread: int


async def anode(state: State) -> State:
    await asyncio.sleep(0)
    return {"x": who.get(), "loop": id(asyncio.get_running_loop()), "thread": threading.get_ident()}


def node(state: State) -> State:
    return {"x": who.get()}


def workflow_of(function: Any, **options: Any) -> Workflow:
    made = StateGraph(State)
    made.add_node("a", function)
    made.add_edge(START, "a")
    return Workflow("w", made.compile(**options), ({"x": ""},))


def test_an_event_loop_is_kept_for_its_thread() -> None:
    workflow = workflow_of(anode)
    here = [workflow.invoke({}) for _ in range(2)]
    assert here[0] == here[1]
    assert here[0]["thread"] == threading.get_ident()
    barrier = threading.Barrier(4)

    def invoke(number: int) -> Any:
        barrier.wait()
        return workflow.invoke({})

    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(invoke, range(4)))
    assert len({one["loop"] for one in [*others, here[0]]}) == 5
    assert len({one["thread"] for one in others}) == 4


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_the_loop_of_a_thread_that_is_gone_is_closed() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def note() -> None:
        loops.append(asyncio.get_running_loop())

    thread = threading.Thread(target=lambda: run_in_thread_loop(note()))
    thread.start()
    thread.join()
    del thread
    import gc

    gc.collect()
    assert loops[0].is_closed()


@pytest.mark.parametrize("function", [node, anode])
def test_nodes_see_the_caller_s_context(function: Any) -> None:
    workflow = workflow_of(function)
    token = who.set("me")
    try:
        assert workflow.invoke({})["x"] == "me"
    finally:
        who.reset(token)
    assert workflow.invoke({})["x"] == "nobody"


@pytest.mark.filterwarnings("error")
def test_an_asynchronous_graph_in_a_running_loop_says_what_is_wrong() -> None:
    workflow = workflow_of(anode)

    async def inside() -> Any:
        return workflow.invoke({})

    with pytest.raises(RuntimeError, match="running event loop"):
        asyncio.run(inside())


def test_each_invocation_is_a_thread_of_its_own_for_a_checkpointer() -> None:
    saver = InMemorySaver()
    workflow = workflow_of(node, checkpointer=saver)
    workflow.invoke({"x": "1"})
    workflow.invoke({"x": "2"}, {"tags": ["kept"]})
    assert len({one.config["configurable"]["thread_id"] for one in saver.list(None)}) == 2
    workflow.invoke({"x": "3"}, {"configurable": {"thread_id": "mine"}})
    assert "mine" in {one.config["configurable"]["thread_id"] for one in saver.list(None)}


def test_another_graph_can_be_driven_in_place_of_the_workflow_s() -> None:
    workflow, other = workflow_of(anode), workflow_of(RunnableLambda(lambda state: {"x": "other"}))
    assert workflow.invoke_graph(other.graph, {}) == {"x": "other"}


async def aroute(state: State) -> str:
    return END


def branching(route: Any) -> Workflow:
    made = StateGraph(State)
    made.add_node("a", node)
    made.add_edge(START, "a")
    made.add_conditional_edges("a", route, [END])
    return Workflow("w", made.compile(), ({"x": ""},))


@pytest.mark.parametrize(
    ("workflow", "is_async"),
    [
        (workflow_of(node), False),
        (workflow_of(anode), True),
        (workflow_of(RunnableLambda(node)), False),
        (workflow_of(RunnableLambda(anode)), True),
        (workflow_of(RunnableLambda(node, anode)), False),
        (workflow_of(RunnableLambda(node) | RunnableLambda(anode)), True),
        (workflow_of(workflow_of(anode).graph), True),
        (workflow_of(workflow_of(node).graph), False),
        (branching(aroute), True),
        (branching(lambda state: END), False),
    ],
)
def test_asynchronous_only_graphs_are_known(workflow: Workflow, is_async: bool) -> None:
    assert workflow.is_async is is_async
    assert workflow.invoke({"x": "1"})["x"] == "nobody"
