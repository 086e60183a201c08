"""2.9-era tracker code runs unchanged, and finds its names and values in the store."""

import asyncio
import json
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tracegauge.tracking import MLFlowTracker

PRICES = """
version: "test"
models:
  known-model: {input: 2, output: 10}
"""


def workflow_config() -> Any:
    """A workflow config as 2.9-era code passes it: an object with attributes."""
    return SimpleNamespace(
        schema_version="1.0",
        flow=SimpleNamespace(name="article_writer", version="2.1"),
        config=SimpleNamespace(llm=SimpleNamespace(model="known-model", temperature=0.3, provider="openai")),
    )


@pytest.fixture(params=["sqlite", "file"])
def mlflow_config(request: pytest.FixtureRequest, in_tmp_path: Path, sqlite_uri: str) -> SimpleNamespace:
    """A 2.9-era config object: no key of it is new, but for prices that the test knows."""
    (in_tmp_path / "prices.yaml").write_text(PRICES)
    uri = sqlite_uri if request.param == "sqlite" else "file://./mlruns"
    return SimpleNamespace(
        enabled=True,
        tracking_uri=uri,
        experiment_name="articles",
        run_name=None,
        log_prompts=True,
        log_artifacts=True,
        artifact_level="standard",
        async_logging=False,
        prices=str(in_tmp_path / "prices.yaml"),
    )


@pytest.fixture(autouse=True)
def _expect_deprecation() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def runs_of(tracker: MLFlowTracker) -> tuple[Run, dict[str, Run]]:
    """The workflow's run, and its nodes' runs by name."""
    client = MlflowClient(tracker.tracking_uri)
    runs = client.search_runs([tracker.experiment_id])
    roots = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(roots) == 1
    nodes = [run for run in runs if run is not roots[0]]
    assert all(run.data.tags["mlflow.parentRunId"] == roots[0].info.run_id for run in nodes)
    assert all(run.info.status == "FINISHED" for run in nodes)
    return roots[0], {run.info.run_name: run for run in nodes}


def artifact(run: Run, name: str) -> str:
    return mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{name}")


def artifacts(tracker: MLFlowTracker, run: Run) -> set[str]:
    return {found.path for found in MlflowClient(tracker.tracking_uri).list_artifacts(run.info.run_id)}


def test_every_name_and_value(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    prompt = "p" * 600
    with tracker.track_workflow({"topic": "tides"}) as run:
        assert mlflow.active_run().info.run_id == run.info.run_id
        mlflow.log_param("own", "works as ever")
        with tracker.track_node("research", "known-model", tools=["search", "calc"]) as node_run:
            assert node_run.info.run_id != run.info.run_id
            tracker.log_node_metrics(1000, 500, "known-model", retries=2, prompt=prompt, response="short")
        with tracker.track_node("write", "known-model"):
            tracker.log_node_metrics(100, 50, "known-model")
        tracker.finalize_workflow({"article": "Tides."}, status="success")
    assert mlflow.active_run() is None

    workflow, nodes = runs_of(tracker)
    assert workflow.info.run_id == run.info.run_id
    name, _, stamp = workflow.info.run_name.partition("_writer_")
    assert name == "article"
    assert len(stamp) == len("20260202_120000")
    assert workflow.data.params == {
        "workflow_name": "article_writer",
        "workflow_version": "2.1",
        "schema_version": "1.0",
        "global_model": "known-model",
        "global_temperature": "0.3",
        "global_provider": "openai",
        "own": "works as ever",
    }
    metrics = workflow.data.metrics
    assert metrics.pop("duration_seconds") > 0
    # 1,100 tokens x 2 + 550 x 10 = 7,700 per million
    assert metrics.pop("total_cost_usd") == pytest.approx(7700e-6)
    assert metrics == {
        "total_input_tokens": 1100,
        "total_output_tokens": 550,
        "node_count": 2,
        "retry_count": 2,
        "status": 1,
    }
    assert workflow.info.status == "FINISHED"
    assert json.loads(artifact(workflow, "inputs.json")) == {"topic": "tides"}
    assert json.loads(artifact(workflow, "outputs.json")) == {"article": "Tides."}

    research = nodes["node_research"]
    assert research.data.params == {"node_id": "research", "node_model": "known-model", "tools": '["search", "calc"]'}
    metrics = research.data.metrics
    assert metrics.pop("node_duration_ms") > 0
    assert metrics.pop("node_cost_usd") == pytest.approx(7000e-6)
    assert metrics == {"input_tokens": 1000, "output_tokens": 500, "retries": 2}
    assert research.data.tags["prompt"] == "p" * 500 + "..."
    assert research.data.tags["response"] == "short"
    assert artifact(research, "prompt.txt") == prompt
    assert artifact(research, "response.txt") == "short"
    assert set(nodes) == {"node_research", "node_write"}
    tracker.close()


def test_an_exception_is_recorded_and_goes_on(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    with (
        pytest.raises(ZeroDivisionError),
        tracker.track_workflow({"x": 1}),
        tracker.track_node("divide", "known-model"),
    ):
        1 / 0  # noqa: B018

    client = MlflowClient(tracker.tracking_uri)
    runs = {run.info.run_name: run for run in client.search_runs([tracker.experiment_id])}
    node = runs.pop("node_divide")
    (workflow,) = runs.values()
    assert workflow.data.metrics["status"] == 0
    assert workflow.data.metrics["node_count"] == 1
    assert json.loads(artifact(workflow, "error.json")) == {
        "error_type": "ZeroDivisionError",
        "error": "division by zero",
    }
    assert (workflow.info.status, node.info.status) == ("FAILED", "FAILED")
    assert mlflow.active_run() is None
    tracker.close()


@pytest.mark.parametrize("config", [None, {"enabled": False}, SimpleNamespace(enabled=False)])
def test_disabled_everything_is_a_no_op(config: Any, in_tmp_path: Path):
    tracker = MLFlowTracker(config, None)
    with tracker.track_workflow({"x": 1}) as run:
        assert run is None
        with tracker.track_node("n", "m") as node_run:
            assert node_run is None
            tracker.log_node_metrics(1, 2, "m")
        tracker.finalize_workflow({})
    assert tracker.tracking_uri is None
    assert list(in_tmp_path.iterdir()) == []


def test_without_a_workflow_config_the_rest_is_tracked(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, None)
    with tracker.track_workflow({}), tracker.track_node("n", None):
        tracker.log_node_metrics(1, 2)
    workflow, nodes = runs_of(tracker)
    assert workflow.data.params == {}
    assert workflow.data.metrics["status"] == 1
    assert nodes["node_n"].data.params == {"node_id": "n"}
    tracker.close()


def test_track_node_says_what_replaces_it(in_tmp_path: Path):
    with pytest.warns(DeprecationWarning, match=r"tracker\.span.*tracker\.trace.*autolog_enabled") as caught:
        MLFlowTracker(None).track_node("n", "m")
    assert caught[0].filename == __file__


def test_a_node_of_an_unknown_model_has_tokens_and_no_cost(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    with tracker.track_workflow({}), tracker.track_node("n", "house-model"):
        tracker.log_node_metrics(10, 20, "house-model")
    workflow, nodes = runs_of(tracker)
    assert "node_cost_usd" not in nodes["node_n"].data.metrics
    assert "total_cost_usd" not in workflow.data.metrics  # a total without it would be too low
    assert workflow.data.metrics["total_output_tokens"] == 20
    tracker.close()


def check_parallel(tracker: MLFlowTracker, count: int) -> None:
    """Node number i recorded i tokens and the prompt "node i"."""
    workflow, nodes = runs_of(tracker)
    assert len(nodes) == count
    for i in range(count):
        node = nodes[f"node_n{i}"]
        assert node.data.metrics["input_tokens"] == i
        assert node.data.tags["prompt"] == f"node {i}"
    assert workflow.data.metrics["total_input_tokens"] == sum(range(count))
    assert workflow.data.metrics["node_count"] == count


def test_parallel_nodes_in_asyncio(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())

    async def node(i: int) -> None:
        with tracker.track_node(f"n{i}", "known-model"):
            await asyncio.sleep(0.001 * (5 - i))  # they end in reverse order
            tracker.log_node_metrics(i, i, "known-model", prompt=f"node {i}")

    async def run() -> None:
        with tracker.track_workflow({}):
            await asyncio.gather(*(node(i) for i in range(5)))
            tracker.finalize_workflow({})

    asyncio.run(run())
    check_parallel(tracker, 5)
    assert mlflow.active_run() is None
    tracker.close()


def test_parallel_nodes_in_threads_that_know_no_context(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    together = threading.Barrier(4)

    def node(i: int) -> None:
        with tracker.track_node(f"n{i}", "known-model"):
            together.wait()
            tracker.log_node_metrics(i, i, "known-model", prompt=f"node {i}")

    with tracker.track_workflow({}), ThreadPoolExecutor(4) as pool:
        list(pool.map(node, range(4)))
    check_parallel(tracker, 4)
    tracker.close()


def test_two_workflows_at_once_are_kept_apart(mlflow_config: Any):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    together = threading.Barrier(2)

    def workflow(i: int) -> str:
        with tracker.track_workflow({"number": i}) as run, tracker.track_node(f"n{i}", "known-model"):
            together.wait()
            tracker.log_node_metrics(i, 0, "known-model")
            return str(run.info.run_id)

    with ThreadPoolExecutor(2) as pool:
        run_ids = list(pool.map(workflow, [1, 2]))
    client = MlflowClient(tracker.tracking_uri)
    for i, run_id in enumerate(run_ids, start=1):
        assert client.get_run(run_id).data.metrics["total_input_tokens"] == i
        (child,) = client.search_runs([tracker.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
        assert child.info.run_name == f"node_n{i}"
    tracker.close()


@pytest.mark.parametrize(
    ("settings", "of_workflow", "of_node", "tags"),
    [
        ({"log_artifacts": False}, set(), set(), {"prompt", "response"}),
        ({"artifact_level": "minimal"}, {"inputs.json", "outputs.json"}, set(), {"prompt", "response"}),
        ({"log_prompts": False}, {"inputs.json", "outputs.json"}, set(), set()),
        ({}, {"inputs.json", "outputs.json"}, {"prompt.txt", "response.txt"}, {"prompt", "response"}),
    ],
)
def test_what_is_stored_can_be_chosen(
    mlflow_config: Any, settings: dict[str, Any], of_workflow: set[str], of_node: set[str], tags: set[str]
):
    tracker = MLFlowTracker(SimpleNamespace(**{**vars(mlflow_config), **settings}), workflow_config())
    with tracker.track_workflow({}):
        with tracker.track_node("n", "known-model"):
            tracker.log_node_metrics(1, 2, "known-model", prompt="p", response="r")
        tracker.finalize_workflow({})
    workflow, nodes = runs_of(tracker)
    assert artifacts(tracker, workflow) == of_workflow
    assert artifacts(tracker, nodes["node_n"]) == of_node
    assert {"prompt", "response"} & nodes["node_n"].data.tags.keys() == tags
    tracker.close()


def test_artifact_level_full_does_not_shorten_tags(mlflow_config: Any):
    tracker = MLFlowTracker(SimpleNamespace(**{**vars(mlflow_config), "artifact_level": "full"}), workflow_config())
    with tracker.track_workflow({}), tracker.track_node("n", "m"):
        tracker.log_node_metrics(1, 2, "m", prompt="p" * 700)
    assert runs_of(tracker)[1]["node_n"].data.tags["prompt"] == "p" * 700
    tracker.close()


def test_what_json_does_not_know_is_stored_as_text(mlflow_config: Any):
    circle: dict[Any, Any] = {("a", "tuple"): object()}
    circle["self"] = circle
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    with tracker.track_workflow(circle):
        tracker.finalize_workflow({"when": {1, 2}, None: Path("x"), "half a pair": "\ud83d"})
    workflow, _ = runs_of(tracker)
    assert "tuple" in artifact(workflow, "inputs.json")
    assert json.loads(artifact(workflow, "outputs.json")) == {"when": [1, 2], "null": "x", "half a pair": "\ufffd"}
    tracker.close()


class Mute(Exception):
    """Refuses to be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_what_refuses_to_be_shown_does_not_disturb_the_workflow(mlflow_config: Any):
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    tracker = MLFlowTracker(mlflow_config, workflow_config())

    def run() -> None:
        with tracker.track_workflow({"mute": Mute(), "deep": deep}):
            with tracker.track_node("n", "half \ud83d\0", tools=Mute()):
                tracker.log_node_metrics(1, 2, "known-model", prompt=Mute(), response="half \ud83d")  # type: ignore[arg-type]
            tracker.finalize_workflow(Mute())
            raise Mute

    with pytest.raises(Mute):
        run()
    workflow, nodes = runs_of(tracker)
    assert json.loads(artifact(workflow, "inputs.json"))["mute"] == "<Mute>"
    assert json.loads(artifact(workflow, "error.json")) == {"error_type": "Mute", "error": "<Mute>"}
    node = nodes["node_n"].data
    assert (node.params["tools"], node.params["node_model"]) == ('["<Mute>"]', "half \ufffd\ufffd")
    assert (node.tags["prompt"], node.tags["response"]) == ("<Mute>", "half \ufffd")
    tracker.close()


@pytest.mark.parametrize(("tokens", "warns"), [("many", True), (None, False), (float("nan"), False)])
def test_a_call_with_wrong_values_costs_nothing_else(
    mlflow_config: Any, caplog: pytest.LogCaptureFixture, tokens: Any, warns: bool
):
    tracker = MLFlowTracker(mlflow_config, workflow_config())
    with tracker.track_workflow({}), tracker.track_node("n", "m"):
        tracker.log_node_metrics(tokens, 2, "known-model")
    workflow, _ = runs_of(tracker)
    assert workflow.data.metrics["node_count"] == 1
    assert ("can't be recorded" in caplog.text) == warns
    tracker.close()
