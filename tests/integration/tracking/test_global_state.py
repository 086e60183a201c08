"""MLflow's global state is entered and restored; sampling drops whole traces or none."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import mlflow.langchain
import pytest
from langgraph.graph import START, StateGraph
from mlflow.entities.trace_location import MlflowExperimentLocation
from mlflow.tracing import provider
from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

from tracegauge.tracking import MLFlowTracker


def state() -> dict[str, Any]:
    """What a tracker may touch."""
    destination = provider._MLFLOW_TRACE_USER_DESTINATION.get()
    return {
        "uri": mlflow.get_tracking_uri(),
        "experiment": mlflow.tracking.fluent._active_experiment_id,
        "destination": destination and destination.experiment_id,
        "processors": list(mlflow.tracing.config.get_config().span_processors),
        "enabled": provider.is_tracing_enabled(),
        "autolog": dict(AUTOLOGGING_INTEGRATIONS.get("langchain") or {}),
        "start_span": provider.start_span_in_context,
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
    }


def config(uri: str, **settings: Any) -> dict[str, Any]:
    return {"enabled": True, "tracking_uri": uri, "experiment_name": "e", "delivery": "sync", **settings}


def set_up_everything(folder: Path) -> None:
    """What a user may have set before."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("mine")
    mlflow.tracing.set_destination(MlflowExperimentLocation("0"))
    mlflow.tracing.configure(span_processors=[len])
    mlflow.langchain.autolog(silent=True)


@pytest.mark.parametrize("delivery", ["sync", "mlflow", "lossless"])
@pytest.mark.parametrize("before", ["nothing", "everything", "disabled"])
def test_everything_is_as_before(in_tmp_path: Path, sqlite_uri: str, before: str, delivery: str):
    if before == "everything":
        set_up_everything(in_tmp_path)
    if before == "disabled":
        mlflow.tracing.disable()
    found = state()
    # Not ./mlruns: once that holds a store, it is what MLflow takes where nothing is set.
    settings = config("./elsewhere", delivery=delivery, autolog_enabled=True, redact=["x"], sample_rate=0.5)
    with MLFlowTracker(settings) as tracker, tracker.instrument(), tracker.span("work"):
        assert state() != found
    assert state() == found


def test_a_tracker_that_is_used_without_with_is_restored_by_close(in_tmp_path: Path, sqlite_uri: str):
    found = state()
    tracker = MLFlowTracker(config(sqlite_uri))
    assert state() == found
    with tracker.span("work"):
        pass
    assert mlflow.get_tracking_uri() == sqlite_uri
    tracker.close()
    assert state() == found
    with tracker.span("again"):
        pass
    assert mlflow.get_tracking_uri() == sqlite_uri
    tracker.close()


def test_the_file_stores_opt_in_is_not_inherited_by_children(in_tmp_path: Path):
    with MLFlowTracker(config("./mlruns")):
        program = "import os; assert 'MLFLOW_ALLOW_FILE_STORE' not in os.environ"
        subprocess.run([sys.executable, "-c", program], check=True)


def test_a_tracker_that_is_never_closed_has_written_everything_at_exit(in_tmp_path: Path, sqlite_uri: str):
    program = f"""
from tracegauge.tracking import MLFlowTracker
tracker = MLFlowTracker({config(sqlite_uri, delivery="mlflow")!r})
with tracker.span("work"):
    pass
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
    assert "Exception ignored" not in done.stderr
    client = mlflow.MlflowClient(sqlite_uri)
    experiment = client.get_experiment_by_name("e")
    assert len(client.search_traces(locations=[experiment.experiment_id])) == 1


def nested_graph(tracker: MLFlowTracker, asynchronous: bool) -> Any:
    def work(state: dict[str, Any]) -> dict[str, Any]:
        with tracker.span("user"), mlflow.start_span("below"):
            return {}

    async def awork(state: dict[str, Any]) -> dict[str, Any]:
        return work(state)

    graph = StateGraph(dict)
    graph.add_node("n", awork if asynchronous else work).add_edge(START, "n")
    return graph.compile()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("instrument", ["manual", "autolog"])
def test_sampling_drops_whole_traces_or_none(
    sqlite_uri: str, instrument: str, asynchronous: bool, caplog: pytest.LogCaptureFixture
):
    """At 3.9 spans below one that was dropped would be sampled anew, as traces of their own."""
    invocations = 30
    with MLFlowTracker(config(sqlite_uri, sample_rate=0.5, autolog_enabled=instrument == "autolog")) as tracker:
        graph = tracker.wrap_nodes(nested_graph(tracker, asynchronous))
        with tracker.instrument():
            for _ in range(invocations):
                asyncio.run(graph.ainvoke({})) if asynchronous else graph.invoke({})
        found = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    # Binomial(30, 0.5): none or all has a probability of 2 x 0.5^30.
    assert 0 < len(found) < invocations
    for trace in found:
        assert {"n", "user", "below"} <= {span.name for span in trace.data.spans}
    assert "Failed to start span" not in caplog.text


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0), (1.0, 3)])
def test_the_configured_rate_comes_before_the_environments(
    sqlite_uri: str, monkeypatch: pytest.MonkeyPatch, rate: float, expected: int
):
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", str(1.0 - rate))
    with MLFlowTracker(config(sqlite_uri, sample_rate=rate)) as tracker:
        for _ in range(3):
            with tracker.span("work"), tracker.span("below"):
                pass
        assert len(mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")) == expected
