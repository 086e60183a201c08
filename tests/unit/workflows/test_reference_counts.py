"""The untraced reference counts what ran, for every shape of graph, on every supported LangGraph."""

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.tools import tool
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import Send
from typing_extensions import TypedDict

from tracegauge.workflows import CallCounts, ScriptedChatModel, Workflow, count_calls
from tracegauge.workflows.progress import NodeProgress

MODEL = ScriptedChatModel()
QUESTION = {"messages": [("user", "hello")]}


class State(TypedDict, total=False):
    x: str
    n: int
    out: Annotated[list[str], operator.add]


@tool
def look_up(q: str) -> str:
    """Look something up."""
    return q


@tool
async def alook_up(q: str) -> str:
    """Look something up."""
    return q


def node(state: State) -> dict[str, Any]:
    return {"out": [MODEL.invoke("a").text]}


async def anode(state: State) -> dict[str, Any]:
    return {"out": [(await MODEL.ainvoke("a")).text]}


def graph(*nodes: tuple[str, Any], edges: list[Any]) -> StateGraph[Any]:
    made: StateGraph[Any] = StateGraph(State)
    for name, function in nodes:
        made.add_node(name, function)
    for edge in [(START, nodes[0][0]), *edges]:
        made.add_edge(*edge)
    return made


def sequential(node: Any) -> StateGraph[Any]:
    return graph(("a", node), ("b", node), edges=[("a", "b")])


def fan_out(node: Any) -> StateGraph[Any]:
    nodes = [(name, node) for name in "abcd"]
    return graph(*nodes, edges=[("a", "b"), ("a", "c"), (["b", "c"], "d")])


def send(node: Any) -> StateGraph[Any]:
    made = graph(("a", node), ("b", node), edges=[])
    made.add_conditional_edges("a", lambda state: [Send("b", {"x": str(i)}) for i in range(3)], ["b"])
    return made


def loop(node: Any) -> StateGraph[Any]:
    made = graph(("a", node), ("count", lambda state: {"n": state.get("n", 0) + 1}), edges=[("a", "count")])
    made.add_conditional_edges("count", lambda state: "a" if state["n"] < 4 else END, ["a", END])
    return made


def subgraph(node: Any) -> StateGraph[Any]:
    inner = graph(("c", node), ("d", node), edges=[("c", "d")]).compile()
    return graph(("a", node), ("b", inner), edges=[("a", "b")])


def graph_in_a_function(node: Any) -> StateGraph[Any]:
    inner = graph(("c", node), edges=[]).compile()
    if node is anode:

        async def acall(state: State) -> Any:
            return await inner.ainvoke(state)

        return graph(("a", acall), edges=[])
    return graph(("a", lambda state: inner.invoke(state)), edges=[])


@pytest.mark.parametrize("function", [node, anode])
@pytest.mark.parametrize(
    ("shape", "by_node", "llm_calls"),
    [
        (sequential, {"a": 1, "b": 1}, 2),
        (fan_out, {"a": 1, "b": 1, "c": 1, "d": 1}, 4),
        (send, {"a": 1, "b": 3}, 4),
        (loop, {"a": 4, "count": 4}, 4),
        (subgraph, {"a": 1, "b": 1, "c": 1, "d": 1}, 3),
        (graph_in_a_function, {"a": 1, "c": 1}, 1),
    ],
)
def test_shapes(
    shape: Callable[[Any], StateGraph[Any]], by_node: dict[str, int], llm_calls: int, function: Any
) -> None:
    workflow = Workflow(name="w", graph=shape(function).compile(), inputs=({"x": "1"},))
    assert workflow.is_async is (function is anode)
    counts = count_calls(workflow, workflow.inputs[0])
    assert counts == CallCounts(by_node, llm_calls, tool_calls=0)
    assert counts.node_calls == sum(by_node.values())


def react(tools: list[Any], model_node: Any) -> StateGraph[Any]:
    made: StateGraph[Any] = StateGraph(MessagesState)
    made.add_node("agent", model_node)
    made.add_node("tools", ToolNode(tools))
    made.add_edge(START, "agent")
    made.add_conditional_edges("agent", tools_condition)
    made.add_edge("tools", "agent")
    return made


@pytest.mark.parametrize("tools", [[look_up], [alook_up]])
@pytest.mark.parametrize("is_async", [False, True])
def test_react_agents(tools: list[Any], is_async: bool) -> None:
    model = MODEL.bind_tools(tools)

    def agent(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    async def aagent(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    workflow = Workflow("w", react(tools, aagent if is_async else agent).compile(), (QUESTION,))
    assert workflow.is_async is (is_async or tools == [alook_up])
    assert count_calls(workflow, QUESTION) == CallCounts({"agent": 2, "tools": 1}, llm_calls=2, tool_calls=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_prebuilt_agent() -> None:
    workflow = Workflow("w", create_react_agent(MODEL, [look_up]), (QUESTION,))
    assert count_calls(workflow, QUESTION) == CallCounts({"agent": 2, "tools": 1}, llm_calls=2, tool_calls=1)


def test_functional_api() -> None:
    @entrypoint()
    def ask(question: dict[str, Any]) -> str:
        return MODEL.invoke(question["x"]).text

    @entrypoint()
    async def aask(question: dict[str, Any]) -> str:
        return (await MODEL.ainvoke(question["x"])).text

    for function, is_async in ((ask, False), (aask, True)):
        workflow = Workflow("w", function, ({"x": "a"},))
        assert workflow.is_async is is_async
        assert count_calls(workflow, {"x": "a"}).llm_calls == 1


def test_what_a_caller_counts_does_not_reach_the_graph() -> None:
    workflow = Workflow("w", sequential(node).compile(), ({"x": "1"},))
    assert count_calls(workflow, {"x": "1"}) == count_calls(workflow, {"x": "1"})


def test_progress_names_the_nodes_as_they_start() -> None:
    names: list[str] = []
    workflow = Workflow("w", subgraph(anode).compile(), ({"x": "1"},))
    workflow.invoke({"x": "1"}, {"callbacks": [NodeProgress(names.append)]})
    assert names == ["a", "b", "c", "d"]
