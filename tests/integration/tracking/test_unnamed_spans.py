"""Autolog has no name for the span of a lambda in an async branch: it is stored and counted as others are."""

import asyncio
from typing import Any, TypedDict

import mlflow
from langgraph.graph import END, START, StateGraph

from tracegauge.measure.probes.store_counts import stored_traces
from tracegauge.tracking import MLFlowTracker


class State(TypedDict):
    rounds: int


async def again(state: State) -> Any:
    return {"rounds": state["rounds"] + 1}


def looping_graph() -> Any:
    graph = StateGraph(State)
    graph.add_node("again", again)
    graph.add_edge(START, "again")
    graph.add_conditional_edges("again", lambda state: "again" if state["rounds"] < 3 else END, ["again", END])
    return graph.compile()


def test_a_branch_that_is_a_lambda_is_traced_redacted_and_counted(sqlite_uri: str):
    settings = {"tracking_uri": sqlite_uri, "experiment_name": "e", "delivery": "sync", "redact": ["secret"]}
    with MLFlowTracker({**settings, "enabled": True, "autolog_enabled": True}) as tracker, tracker.instrument():
        assert asyncio.run(looping_graph().ainvoke({"rounds": 0})) == {"rounds": 3}
        tracker.flush()
    client = mlflow.MlflowClient(sqlite_uri)
    experiment = client.get_experiment_by_name("e")
    stored = stored_traces(client, experiment.experiment_id, {"again"})
    assert (stored.traces, stored.node_spans, stored.orphan_spans) == (1, 3, 0)
    assert stored.spans >= 1 + 3
