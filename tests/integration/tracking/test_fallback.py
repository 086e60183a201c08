"""Where tracking can't go as configured, it goes elsewhere; the workflow never notices."""

import logging
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from langgraph.graph import START, StateGraph
from mlflow import MlflowClient

from tracegauge.tracking import MLFlowTracker

TIMEOUT_S = 1.0


def build_graph() -> Any:
    graph = StateGraph(dict)
    graph.add_node("double", lambda state: {"x": state["x"] * 2}).add_edge(START, "double")
    return graph.compile()


def config(uri: str, **settings: Any) -> dict[str, Any]:
    return {
        "enabled": True,
        "tracking_uri": uri,
        "experiment_name": "e",
        "server_check_timeout_s": TIMEOUT_S,
        "delivery": "sync",
        **settings,
    }


def traces_in(uri: str, experiment: str = "e") -> list[Any]:
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    return [] if found is None else list(client.search_traces(locations=[found.experiment_id], max_results=500))


def track_one(settings: dict[str, Any]) -> tuple[MLFlowTracker, Any]:
    """One invocation; the tracker, closed, and what the workflow gave."""
    with MLFlowTracker(settings) as tracker:
        result = tracker.wrap_nodes(build_graph()).invoke({"x": 3})
    return tracker, result


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def fallback(in_tmp_path: Path, sqlite_uri: str) -> str:
    """The default fallback, `sqlite:///mlflow.db` in the current directory, prepared."""
    return sqlite_uri


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Ours; MLflow has warnings of its own."""
    records = [record for record in caplog.records if record.name == "tracegauge.tracking"]
    return [record.getMessage() for record in records if record.levelno >= logging.WARNING]


def test_an_unreachable_server_is_told_once_and_replaced(
    fallback: str, closed_port: int, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "tracegauge.tracking"):
        _, result = track_one(config(f"http://127.0.0.1:{closed_port}"))
    assert result == {"x": 6}
    assert len(traces_in(fallback)) == 1
    (warning,) = warnings_of(caplog)
    assert "refused the connection" in warning
    assert fallback in warning
    assert f"opened the fallback store {fallback} in" in caplog.text


def test_a_black_hole_delays_the_start_by_no_more_than_the_timeout(fallback: str, caplog: pytest.LogCaptureFixture):
    with socket.create_server(("127.0.0.1", 0)) as hole:
        tracker = MLFlowTracker(config(f"http://127.0.0.1:{hole.getsockname()[1]}"))
        started = time.monotonic()
        with tracker:
            opened_s = time.monotonic() - started
            assert tracker.tracking_uri == fallback
    # The check, then opening the prepared fallback store, which alone may take seconds on a busy machine.
    assert opened_s < TIMEOUT_S + 5
    assert "did not answer in time" in caplog.text


def test_where_the_fallback_can_not_be_opened_either_the_workflow_runs_untracked(
    in_tmp_path: Path, closed_port: int, caplog: pytest.LogCaptureFixture
):
    (in_tmp_path / "file").write_text("no folder")
    tracker, result = track_one(
        config(f"http://127.0.0.1:{closed_port}", fallback_uri="sqlite:///file/below/mlflow.db")
    )
    assert result == {"x": 6}
    assert tracker.config.enabled
    first, second = warnings_of(caplog)
    assert "refused the connection" in first
    assert "can't be opened either" in second
    assert mlflow.get_tracking_uri() != f"http://127.0.0.1:{closed_port}"


def test_a_local_store_that_can_not_be_opened_is_replaced_too(
    fallback: str, in_tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (in_tmp_path / "broken.db").write_text("this is no database" * 100)
    _, result = track_one(config("sqlite:///broken.db"))
    assert result == {"x": 6}
    assert len(traces_in(fallback)) == 1
    assert "broken.db can't be opened" in warnings_of(caplog)[0]


@pytest.mark.filterwarnings("ignore:MLFlowTracker.track_node is deprecated")
def test_a_store_that_breaks_under_way_changes_nothing_for_the_workflow(fallback: str, in_tmp_path: Path):
    with MLFlowTracker(config(fallback)) as tracker:
        graph = tracker.wrap_nodes(build_graph())
        assert graph.invoke({"x": 1}) == {"x": 2}
        connection = sqlite3.connect(in_tmp_path / "mlflow.db")
        for table in ("trace_info", "spans", "runs", "params", "metrics", "tags"):
            connection.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
        connection.commit()
        assert graph.invoke({"x": 2}) == {"x": 4}
        with tracker.track_workflow({"x": 3}) as run:
            with tracker.track_node("n", "m"):
                tracker.log_node_metrics(1, 2, "m")
            tracker.finalize_workflow({})
        assert run is None


@pytest.mark.filterwarnings("ignore:MLFlowTracker.track_node is deprecated")
def test_a_store_without_a_fallback_gets_the_runs_that_it_has_missed(
    fallback: str, in_tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    connection = sqlite3.connect(in_tmp_path / "mlflow.db")

    def rename(table: str, name: str) -> None:
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")
        connection.commit()

    with MLFlowTracker(config(fallback)) as tracker, tracker.track_workflow({"x": 3}):
        rename("runs", "gone")
        with tracker.track_node("missed", "m"):
            tracker.log_node_metrics(1, 2, "m")
        tracker.finalize_workflow({})
        rename("gone", "runs")
        with tracker.track_node("too early", "m"):
            experiment_id = tracker.experiment_id
    assert len(warnings_of(caplog)) == 1
    runs = {run.info.run_name: run for run in mlflow.MlflowClient(fallback).search_runs([experiment_id])}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    (workflow,) = (run for name, run in runs.items() if not name.startswith("node_"))
    assert workflow.data.metrics["total_output_tokens"] == 2
    missed = runs["node_missed"].data
    assert (missed.params["node_id"], missed.metrics["output_tokens"]) == ("missed", 2)
    assert missed.tags["mlflow.parentRunId"] == runs["node_too early"].data.tags["mlflow.parentRunId"]
    assert missed.tags["mlflow.parentRunId"] == workflow.info.run_id


@pytest.mark.slow
def test_mlflows_own_retries_are_capped_while_a_server_is_used_and_restored(
    in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting_server: Any
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    with MLFlowTracker(config(lasting_server.uri, server_check_timeout_s=10)):
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "10"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"


@pytest.fixture(scope="module")
def lasting_server(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, running_server: Any
) -> Iterator[Any]:
    """For tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("server")
    with running_server(Path(shutil.copy(empty_database, folder / "mlflow.db"))) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, empty_database: Path, running_server: Any) -> Iterator[Any]:
    folder = tmp_path / "server"
    folder.mkdir()
    with running_server(Path(shutil.copy(empty_database, folder / "mlflow.db"))) as server:
        yield server


DELIVERIES = pytest.mark.parametrize("delivery", ["sync", "mlflow", "lossless"])


@pytest.mark.slow
@DELIVERIES
def test_a_server_that_is_killed_under_way(fallback: str, server: Any, delivery: str):
    die_under_way(fallback, server, delivery, server.kill)


@pytest.mark.slow
@DELIVERIES
def test_a_server_that_freezes_under_way(fallback: str, lasting_server: Any, delivery: str):
    try:
        die_under_way(fallback, lasting_server, delivery, lasting_server.freeze)
    finally:
        lasting_server.thaw()


def die_under_way(fallback: str, server: Any, delivery: str, die: Callable[[], None]) -> None:
    """Outputs as untracked; no invocation takes longer than the timeout; every trace is in one of the two stores."""
    before, after = 3, 6
    experiment = f"dies under {delivery}"
    settings = config(server.uri, experiment_name=experiment, delivery=delivery, server_check_timeout_s=5)
    with MLFlowTracker(settings) as tracker:
        assert tracker.tracking_uri == server.uri
        graph = tracker.wrap_nodes(build_graph())
        for x in range(before):
            assert graph.invoke({"x": x}) == {"x": 2 * x}
        assert tracker.flush().complete
        stored = len(traces_in(server.uri, experiment))
        die()
        for x in range(after):
            started = time.monotonic()
            assert graph.invoke({"x": x}) == {"x": 2 * x}
            assert time.monotonic() - started < 5 + 2
        tracker.flush(60)
    assert stored == before
    assert len(traces_in(fallback, experiment)) == after


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:MLFlowTracker.track_node is deprecated")
def test_legacy_runs_go_on_in_the_fallback_store_when_the_server_dies(fallback: str, server: Any):
    with (
        MLFlowTracker(config(server.uri, server_check_timeout_s=5)) as tracker,
        tracker.track_workflow({"topic": "tides"}),
    ):
        with tracker.track_node("first", "m"):
            tracker.log_node_metrics(1, 2, "m", prompt="one")
        with tracker.track_node("second", "m"):
            tracker.log_node_metrics(10, 20, "m", prompt="two")
            server.kill()
        started = time.monotonic()
        with tracker.track_node("third", "m"):
            tracker.log_node_metrics(100, 200, "m", prompt="three")
        tracker.finalize_workflow({"done": True})
        assert time.monotonic() - started < 5 + 5

    client = MlflowClient(fallback)
    runs = {run.info.run_name: run for run in client.search_runs([client.get_experiment_by_name("e").experiment_id])}
    assert {name for name in runs if name.startswith("node_")} == {"node_second", "node_third"}
    workflow = next(run for name, run in runs.items() if not name.startswith("node_"))
    assert workflow.data.metrics["total_input_tokens"] == 111
    assert {item.path for item in client.list_artifacts(workflow.info.run_id)} == {"inputs.json", "outputs.json"}
    assert runs["node_second"].data.metrics["input_tokens"] == 10
    assert runs["node_second"].info.status == "FINISHED"
    assert runs["node_third"].data.tags["mlflow.parentRunId"] == workflow.info.run_id
