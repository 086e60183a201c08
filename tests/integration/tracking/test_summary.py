"""`tracker.summary`: known answers, on a graph whose calls, errors and tokens are known."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from tracegauge.tracking import MLFlowTracker

PRICES = "version: 't'\nmodels:\n  known: {input: 2, output: 10}\n"


class Model(BaseChatModel):
    """Asks for two tools, then answers: 100 tokens in, 10 out, each time."""

    model: str = "known"

    @property
    def _llm_type(self) -> str:
        return "test"

    def _get_ls_params(self, *args: Any, **kwargs: Any) -> Any:
        return {"ls_model_name": self.model, "ls_provider": "test", "ls_model_type": "chat"}

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        names = [] if isinstance(messages[-1], ToolMessage) else ["works", "breaks"]
        message = AIMessage(
            "done",
            tool_calls=[{"name": name, "args": {}, "id": name} for name in names],
            usage_metadata={"input_tokens": 100, "output_tokens": 10, "total_tokens": 110},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def works() -> str:
    """Works."""
    return "fine"


@tool
def breaks() -> str:
    """Breaks."""
    raise ValueError("broken")


def team_graph(model: str) -> Any:
    """A node `agent` that is a graph itself: `think` twice, `tools` once; then a node that calls no model."""
    inner = StateGraph(MessagesState)
    inner.add_node("think", lambda state: {"messages": [Model(model=model).invoke(state["messages"])]})
    inner.add_node("tools", ToolNode([works, breaks], handle_tool_errors=True))
    inner.add_edge(START, "think").add_edge("tools", "think")
    inner.add_conditional_edges("think", lambda state: "tools" if state["messages"][-1].tool_calls else END)
    graph = StateGraph(MessagesState)
    graph.add_node("agent", inner.compile()).add_node("publish", lambda state: {})
    graph.add_edge(START, "agent").add_edge("agent", "publish")
    return graph.compile()


def summarize(sqlite_uri: str, folder: Path, instrument: str, model: str) -> Any:
    (folder / "prices.yaml").write_text(PRICES)
    config = {
        "enabled": True,
        "tracking_uri": sqlite_uri,
        "delivery": "sync",
        "autolog_enabled": instrument == "autolog",
        "prices": str(folder / "prices.yaml"),
    }
    with MLFlowTracker(config) as tracker, tracker.instrument():
        tracker.wrap_nodes(team_graph(model)).invoke({"messages": [HumanMessage("go")]})
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
        return tracker.summary(trace.info.trace_id)


@pytest.mark.parametrize("instrument", ["manual", "autolog"])
def test_known_answers(sqlite_uri: str, tmp_path: Path, instrument: str):
    summary = summarize(sqlite_uri, tmp_path, instrument, "known")
    nodes = {node.name: node for node in summary.nodes}
    assert {name: (node.calls, node.errors) for name, node in nodes.items()} == {
        "agent": (1, 0),
        "think": (2, 0),
        "tools": (1, 0),
        "publish": (1, 0),
    }
    assert {call.name: (call.calls, call.errors) for call in summary.tools} == {"works": (1, 0), "breaks": (1, 1)}
    assert [agent.name for agent in summary.agents] == ["agent"]
    assert [(model.name, model.calls) for model in summary.models] == [("known", 2)]

    # Two calls of 100 tokens x 2 + 10 x 10 = 300 USD per million each
    for usage in (summary.usage, nodes["agent"].usage, nodes["think"].usage, summary.models[0].usage):
        assert (usage.model_calls, usage.input_tokens, usage.output_tokens) == (2, 200, 20)
        assert usage.cost_usd == pytest.approx(600e-6)
        assert (usage.calls_without_tokens, usage.calls_without_price) == (0, 0)
    assert (nodes["publish"].usage.model_calls, nodes["publish"].usage.cost_usd) == (0, 0.0)
    assert nodes["think"].mean_ms == pytest.approx(nodes["think"].total_ms / 2)
    assert nodes["think"].max_ms <= nodes["agent"].max_ms <= summary.duration_ms


@pytest.mark.parametrize("instrument", ["manual", "autolog"])
def test_a_model_without_a_price_has_tokens_and_no_cost(sqlite_uri: str, tmp_path: Path, instrument: str):
    usage = summarize(sqlite_uri, tmp_path, instrument, "house-model").usage
    assert (usage.input_tokens, usage.cost_usd, usage.calls_without_price) == (200, None, 2)


def test_an_unknown_trace(sqlite_uri: str):
    with (
        MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri}) as tracker,
        pytest.raises(ValueError, match="there is no trace tr-0"),
    ):
        tracker.summary("tr-0")


@pytest.mark.parametrize("config", [{"enabled": False}, {"enabled": True, "sample_rate": 0.0}])
def test_a_span_that_was_not_recorded_has_no_summary(sqlite_uri: str, config: dict[str, Any]):
    with MLFlowTracker({"tracking_uri": sqlite_uri, **config}) as tracker, tracker.span("ask") as span:
        pass
    assert tracker.summary(span.trace_id) is None
