"""The trace of an invocation has the right shape: one trace, one root, every span under the one that caused it.

Every shape of graph × how it is driven × synchronous or not × instrument × with or without user spans in the nodes.
What is right is written down with each graph, as paths of names: `writer/model` is a model call made by the node
`writer`. Spans for inner steps that autolog adds (and that differ between versions) are left out of the paths.

With TRACEGAUGE_TREE_TABLE set to a file, what was found is appended to it, a line of JSON for each combination:
tree_table.py makes docs/tree_correctness.md of it, which `make tree-table` does for both pairs of versions.
"""

import asyncio
import json
import operator
import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

import mlflow
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from tracegauge.tracking import MLFlowTracker

ROOT = Path(__file__).parents[3]


class State(TypedDict, total=False):
    topic: str
    items: list[str]
    texts: Annotated[list[str], operator.add]
    rounds: int


Paths = Counter[str]
INPUT: dict[str, Any] = {"topic": "tides", "items": ["x", "y", "z"], "texts": [], "rounds": 0}


class Model(BaseChatModel):
    """Calls its tools first, if it has any, and answers once their results are there. It keeps no state."""

    answer: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    name: str | None = "model"

    @property
    def _llm_type(self) -> str:
        return "test"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        calls = [] if isinstance(messages[-1], ToolMessage) else self.tool_calls
        usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        message = AIMessage("" if calls else self.answer, tool_calls=list(calls), usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


@dataclass(frozen=True)
class Kit:
    """What a shape's nodes are built with."""

    asynchronous: bool
    user_span: Callable[[], Any]
    """A context manager that nodes do their work in: a span named `work`, or nothing."""

    def writer(self, name: str, update: Callable[[Any, str], Any] = lambda state, text: {"texts": [text]}) -> Any:
        """A node function that calls a model once, within a user span if there are any."""
        model = Model(answer=f"{name} says")

        def synchronous(state: State) -> Any:
            with self.user_span():
                return update(state, model.invoke("write").text)

        async def asynchronous(state: State) -> Any:
            with self.user_span():
                await asyncio.sleep(0.002)
                return update(state, (await model.ainvoke("write")).text)

        chosen = asynchronous if self.asynchronous else synchronous
        chosen.__name__ = name
        return chosen


def chain(kit: Kit) -> tuple[Any, Paths]:
    graph = StateGraph(State)
    graph.add_node("plan", kit.writer("plan")).add_node("write", kit.writer("write"))
    graph.add_edge(START, "plan").add_edge("plan", "write").add_edge("write", END)
    return graph.compile(), Counter(["plan", "plan/work/model", "write", "write/work/model"])


def fan_out(kit: Kit) -> tuple[Any, Paths]:
    graph = StateGraph(State)
    for name in ("left", "middle", "right", "join"):
        graph.add_node(name, kit.writer(name))
    for name in ("left", "middle", "right"):
        graph.add_edge(START, name)
    graph.add_edge(["left", "middle", "right"], "join")
    names = ["left", "middle", "right", "join"]
    return graph.compile(), Counter([*names, *(f"{name}/work/model" for name in names)])


def send(kit: Kit) -> tuple[Any, Paths]:
    graph = StateGraph(State)
    graph.add_node("split", lambda state: {"rounds": 1}).add_node("each", kit.writer("each"))
    graph.add_edge(START, "split")
    graph.add_conditional_edges("split", lambda state: [Send("each", {"topic": i}) for i in state["items"]], ["each"])
    return graph.compile(), Counter({"split": 1, "each": 3, "each/work/model": 3})


def loop(kit: Kit) -> tuple[Any, Paths]:
    def count(state: State, text: str) -> State:
        return {"texts": [text], "rounds": state["rounds"] + 1}

    graph = StateGraph(State)
    graph.add_node("draft", kit.writer("draft", count)).add_edge(START, "draft")
    graph.add_conditional_edges("draft", lambda state: "draft" if state["rounds"] < 3 else END, ["draft", END])
    return graph.compile(), Counter({"draft": 3, "draft/work/model": 3})


def subgraph(kit: Kit) -> tuple[Any, Paths]:
    inner = StateGraph(State)
    inner.add_node("research", kit.writer("research")).add_node("check", kit.writer("check"))
    inner.add_edge(START, "research").add_edge("research", "check")
    graph = StateGraph(State)
    graph.add_node("team", inner.compile()).add_node("write", kit.writer("write"))
    graph.add_edge(START, "team").add_edge("team", "write")
    return graph.compile(), Counter(
        {
            "team": 1,
            "team/research": 1,
            "team/research/work/model": 1,
            "team/check": 1,
            "team/check/work/model": 1,
            "write": 1,
            "write/work/model": 1,
        }
    )


def subgraph_in_function(kit: Kit) -> tuple[Any, Paths]:
    inner_graph = StateGraph(State)
    inner_graph.add_node("research", kit.writer("research")).add_edge(START, "research")
    inner = inner_graph.compile()

    def call(state: State) -> State:
        with kit.user_span():
            return {"texts": inner.invoke({"topic": state["topic"], "texts": []})["texts"]}

    async def acall(state: State) -> State:
        with kit.user_span():
            return {"texts": (await inner.ainvoke({"topic": state["topic"], "texts": []}))["texts"]}

    graph = StateGraph(State)
    graph.add_node("call", acall if kit.asynchronous else call).add_edge(START, "call")
    return graph.compile(), Counter(["call", "call/work/research", "call/work/research/work/model"])


def multi_agent(kit: Kit) -> tuple[Any, Paths]:
    """A supervisor that hands over to one of two agents, each a graph of its own, by Command."""

    def agent(name: str) -> Any:
        graph = StateGraph(State)
        graph.add_node(f"{name}_think", kit.writer(f"{name}_think")).add_edge(START, f"{name}_think")
        return graph.compile()

    def choose(state: State, text: str) -> Command[Any]:
        turns = ("researcher", "author", END)
        return Command(goto=turns[state["rounds"]], update={"texts": [text], "rounds": state["rounds"] + 1})

    graph = StateGraph(State)
    graph.add_node("supervisor", kit.writer("supervisor", choose), destinations=("researcher", "author", END))
    graph.add_edge(START, "supervisor")
    for name in ("researcher", "author"):
        graph.add_node(name, agent(name)).add_edge(name, "supervisor")
    agents = ("researcher", "author")
    return graph.compile(), Counter(
        ["supervisor", "supervisor/work/model"] * 3
        + [path for name in agents for path in (name, f"{name}/{name}_think", f"{name}/{name}_think/work/model")]
    )


def tool_node(kit: Kit) -> tuple[Any, Paths]:
    """A ReAct loop: two tool calls at once, of which one calls a model itself, then the answer."""
    helper = Model(answer="4")

    @tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @tool
    def ask(question: str) -> str:
        """Ask a model."""
        with kit.user_span():
            return helper.invoke(question).text

    calls = (
        {"name": "add", "args": {"a": 1, "b": 2}, "id": "1"},
        {"name": "ask", "args": {"question": "2 + 2?"}, "id": "2"},
    )
    model = Model(answer="7", tool_calls=calls)

    def agent(state: MessagesState) -> Any:
        with kit.user_span():
            return {"messages": [model.invoke(state["messages"])]}

    async def aagent(state: MessagesState) -> Any:
        with kit.user_span():
            return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", aagent if kit.asynchronous else agent).add_node("tools", ToolNode([add, ask]))
    graph.add_edge(START, "agent").add_edge("tools", "agent")
    graph.add_conditional_edges(
        "agent", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    return graph.compile(), Counter(
        {"agent": 2, "agent/work/model": 2, "tools": 1, "tools/add": 1, "tools/ask": 1, "tools/ask/work/model": 1}
    )


def model_in_edge(kit: Kit) -> tuple[Any, Paths]:
    """A conditional edge that asks a model where to go belongs to the node it leaves."""
    judge = Model(answer="good")

    def grade(state: State) -> str:
        return "publish" if judge.invoke("good?").text == "good" else END

    async def agrade(state: State) -> str:
        return "publish" if (await judge.ainvoke("good?")).text == "good" else END

    graph = StateGraph(State)
    graph.add_node("draft", kit.writer("draft")).add_node("publish", kit.writer("publish")).add_edge(START, "draft")
    graph.add_conditional_edges("draft", agrade if kit.asynchronous else grade, ["publish", END])
    return graph.compile(), Counter(["draft", "draft/work/model", "draft/model", "publish", "publish/work/model"])


SHAPES = (
    chain,
    fan_out,
    send,
    loop,
    subgraph,
    subgraph_in_function,
    multi_agent,
    tool_node,
    model_in_edge,
)
SLOW = pytest.mark.slow
DRIVES = ("invoke", pytest.param("stream", marks=SLOW), pytest.param("batch", marks=SLOW))
USER_SPANS = ("none", "mlflow.start_span", pytest.param("tracker.span", marks=SLOW))


def drive(graph: Any, how: str, asynchronous: bool, value: Any) -> int:
    """Run the graph; returns the number of invocations that this was."""

    async def stream() -> None:
        async for _ in graph.astream(value):
            pass

    async def run() -> None:
        match how:
            case "invoke":
                await graph.ainvoke(value)
            case "stream":
                await stream()
            case _:
                await graph.abatch([value, value])

    if asynchronous:
        asyncio.run(run())
    else:
        match how:
            case "invoke":
                graph.invoke(value)
            case "stream":
                list(graph.stream(value))
            case _:
                graph.batch([value, value])
    return 2 if how == "batch" else 1


def input_of(shape: Callable[..., Any]) -> Any:
    return {"messages": [HumanMessage("1 + 2 and 2 + 2?")]} if shape is tool_node else INPUT


def paths_of(trace: Any, names: set[str]) -> Paths:
    """The path of each span named in `names`, through such spans only, below the root."""
    spans = {span.span_id: span for span in trace.data.spans}

    def path(span: Any) -> str:
        above = ""
        if span.parent_id is not None:
            above = path(spans[span.parent_id])
        name = span.name
        return above if span.parent_id is None or name not in names else f"{above}/{name}".lstrip("/")

    return Counter(path(span) for span in spans.values() if span.parent_id is not None and span.name in names)


def expected_paths(paths: Paths, user_spans: bool) -> Paths:
    """Without user spans there is no `work`; with them each is a span of its own."""
    if not user_spans:
        plain: Paths = Counter()
        for path, count in paths.items():
            plain[path.replace("work/", "")] += count
        return plain
    works: Paths = Counter()
    for path, count in paths.items():
        parts = path.split("/")
        for index, part in enumerate(parts):
            prefix = "/".join(parts[: index + 1])
            # A `work` that several paths share is counted with its own children only.
            if part == "work" and index == len(parts) - 2:
                works[prefix] += count
    return paths + works


@pytest.fixture(scope="module")
def store(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{shutil.copy(empty_database, tmp_path_factory.mktemp('store') / 'mlflow.db')}"


@pytest.mark.parametrize("user_spans", USER_SPANS)
@pytest.mark.parametrize("instrument", ["manual", "autolog"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("how", DRIVES)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_tree(
    store: str, shape: Callable[[Kit], Any], how: str, asynchronous: bool, instrument: str, user_spans: str
) -> None:
    config = {
        "enabled": True,
        "tracking_uri": store,
        "experiment_name": f"{shape.__name__}-{how}-{asynchronous}-{instrument}-{user_spans}",
        "autolog_enabled": instrument == "autolog",
        "delivery": "sync",
    }
    with MLFlowTracker(config) as tracker:
        kit = Kit(asynchronous, user_span_of(tracker, user_spans))
        graph, paths = shape(kit)
        if instrument == "manual":
            graph = tracker.wrap_nodes(graph)
        with tracker.instrument():
            invocations = drive(graph, how, asynchronous, input_of(shape))
        tracker.flush()
        found = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")

    expected = expected_paths(paths, user_spans != "none")
    names = {part for path in expected for part in path.split("/")}
    problems = []
    if len(found) != invocations:
        problems.append(f"{len(found)} traces of {invocations} invocations")
    for trace in found:
        problems += problems_of(trace, expected, names)
    note_in_table(shape, how, asynchronous, instrument, user_spans, problems)
    assert not problems


def user_span_of(tracker: MLFlowTracker, kind: str) -> Callable[[], Any]:
    match kind:
        case "tracker.span":
            return lambda: tracker.span("work")
        case "mlflow.start_span":
            return lambda: mlflow.start_span("work")
        case _:
            return nullcontext


def problems_of(trace: Any, expected: Paths, names: set[str]) -> list[str]:
    spans = trace.data.spans
    ids = {span.span_id for span in spans}
    roots = [span for span in spans if span.parent_id is None]
    orphans = [span.name for span in spans if span.parent_id is not None and span.parent_id not in ids]
    if len(roots) != 1 or orphans:
        return [f"{len(roots)} roots, orphans: {orphans}"]
    problems = [] if str(trace.info.state) in ("OK", "TraceState.OK") else [f"state {trace.info.state}"]
    found = paths_of(trace, names)
    missing, surplus = expected - found, found - expected
    if missing or surplus:
        problems.append(f"missing {dict(missing)}, surplus {dict(surplus)}")
    return problems


def note_in_table(
    shape: Callable[..., Any], how: str, asynchronous: bool, instrument: str, user_spans: str, problems: list[str]
) -> None:
    """Append what was found to the file that the documentation's table is made of."""
    if results := os.environ.get("TRACEGAUGE_TREE_TABLE"):
        row = {
            "shape": shape.__name__,
            "how": how,
            "asynchronous": asynchronous,
            "instrument": instrument,
            "user_spans": user_spans,
            "mlflow": mlflow.__version__,
            "langgraph": version("langgraph"),
            "problems": problems,
        }
        with Path(results).open("a") as file:
            file.write(json.dumps(row) + "\n")


def test_the_table_in_the_documentation_is_of_these_tests_and_of_the_locked_versions() -> None:
    """Each combination is right, or its own test fails; so the table must say so of all of them, and nothing else."""
    per_cell = len(DRIVES) * len(USER_SPANS)
    lines = [line.strip("| \n").split(" | ") for line in (ROOT / "docs/tree_correctness.md").open() if line[0] == "|"]
    locked = [locked_versions(ROOT / name) for name in ("constraints.txt", "constraints-lowest.txt")]
    assert {title.split(", ", 1)[1] for title in lines[0][2:]} == set(locked)
    assert {title.split(",")[0] for title in lines[0][2:]} == {"autolog", "manual"}
    expected = {(shape.__name__.replace("_", " "), called) for shape in SHAPES for called in ("sync", "async")}
    assert {(shape, called) for shape, called, *_ in lines[2:]} == expected
    assert {cell for line in lines[2:] for cell in line[2:]} == {f"{per_cell} of {per_cell}"}


def locked_versions(constraints: Path) -> str:
    pins = dict(line.strip().split("==") for line in constraints.open() if line[0] not in "#\n")
    return f"MLflow {pins['mlflow']}, LangGraph {pins['langgraph']}"
