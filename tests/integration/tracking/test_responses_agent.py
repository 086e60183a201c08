"""A graph behind MLflow's ResponsesAgent interface: what it streams, and what its trace records."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from tracegauge.tracking import MLFlowTracker

REQUEST = {
    "input": [{"role": "user", "content": "hello"}],
    "context": {"conversation_id": "c-1", "user_id": "u-1"},
}
TEXT = "the moon pulls the sea"


def graph(asynchronous: bool) -> Any:
    model = GenericFakeChatModel(messages=iter([AIMessage(TEXT)]))

    def answer(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    async def aanswer(state: MessagesState) -> Any:
        await asyncio.sleep(0)
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", aanswer if asynchronous else answer).add_edge(START, "answer")
    return builder.compile()


@pytest.fixture
def tracker(sqlite_uri: str) -> Iterator[MLFlowTracker]:
    with MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync"}) as tracker:
        yield tracker


def only_trace(tracker: MLFlowTracker) -> Any:
    (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    return trace


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_streaming_records_the_time_to_the_first_token(tracker: MLFlowTracker, asynchronous: bool):
    agent = tracker.responses_agent(tracker.wrap_nodes(graph(asynchronous)))
    events = list(agent.predict_stream(REQUEST))

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == TEXT
    assert len(deltas) > 1
    (done,) = [event.item for event in events if event.type == "response.output_item.done"]
    assert done["content"][0]["text"] == TEXT

    trace = only_trace(tracker)
    (root,) = [span for span in trace.data.spans if span.parent_id is None]
    assert (root.name, root.span_type) == ("predict_stream", "AGENT")
    assert {"answer", "predict_stream"} <= {span.name for span in trace.data.spans}
    elapsed_ms = root.get_attribute("time_to_first_token_ms")
    assert 0 < elapsed_ms <= (root.end_time_ns - root.start_time_ns) / 1e6
    assert float(trace.info.trace_metadata["tracegauge.time_to_first_token_ms"]) == pytest.approx(elapsed_ms, abs=1e-3)
    assert trace.info.trace_metadata["mlflow.trace.session"] == "c-1"
    assert trace.info.trace_metadata["mlflow.trace.user"] == "u-1"
    summary = tracker.summary(trace.info.trace_id)
    assert summary is not None
    assert summary.time_to_first_token_ms == pytest.approx(elapsed_ms)


def test_predict_gives_the_whole_answer(tracker: MLFlowTracker):
    response = tracker.responses_agent(tracker.wrap_nodes(graph(False))).predict(REQUEST)
    assert [item.model_dump()["content"][0]["text"] for item in response.output] == [TEXT]
    (root,) = [span for span in only_trace(tracker).data.spans if span.parent_id is None]
    assert root.name == "predict"
    assert root.outputs["output"][0]["content"][0]["text"] == TEXT


def test_disabled_it_answers_and_leaves_no_trace(in_tmp_path: Path):
    agent = MLFlowTracker(None).responses_agent(graph(False))
    assert [event.type for event in agent.predict_stream(REQUEST)][-1] == "response.output_item.done"
    assert list(in_tmp_path.iterdir()) == []
