"""What is measured is what users run: each instrument in this process, on a real store."""

import json
from importlib.metadata import EntryPoint

import pytest
from mlflow.tracking import MlflowClient

from tracegauge.config.errors import ConfigError
from tracegauge.measure.backends.file import FileBackend
from tracegauge.measure.instruments import Destination, Instrument, _tracker, instrument_named
from tracegauge.measure.instruments.off import Off
from tracegauge.measure.registry import Registry
from tracegauge.tracking import MLFlowTracker
from tracegauge.workflows import load_workflow


@pytest.fixture
def destination(workdir, monkeypatch):
    backend = FileBackend()
    for name, value in backend.environment.items():
        monkeypatch.setenv(name, value)
    uri = backend.tracking_uri(workdir)
    MlflowClient(uri).create_experiment("measured")
    return Destination(tracking_uri=uri, experiment_name="measured", delivery="sync")


@pytest.fixture
def workflow():
    return load_workflow("examples/article_writer_sqlite.yaml", name="writer")


@pytest.fixture
def used(monkeypatch):
    """The names of the tracker's methods that were called, in order."""
    calls = []

    class Recorded(MLFlowTracker):
        def span(self, *args, **kwargs):
            calls.append("span")
            return super().span(*args, **kwargs)

        def wrap_nodes(self, graph):
            calls.append("wrap_nodes")
            return super().wrap_nodes(graph)

        def instrument(self):
            calls.append("instrument")
            return super().instrument()

        def flush(self, timeout_s=None):
            calls.append("flush")
            return super().flush(timeout_s)

    monkeypatch.setattr(_tracker, "MLFlowTracker", Recorded)
    return calls


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("manual_spans", ["wrap_nodes", "span", "flush"]),
        ("autolog", ["instrument", "flush"]),
        ("legacy_runs", []),
        ("off", []),
    ],
)
def test_instruments_are_thin_adapters_over_the_tracker(destination, workflow, used, name, calls):
    instrument = instrument_named(name)
    with instrument.attach(workflow, destination if instrument.writes != "nothing" else None) as attached:
        output = attached.invoke(workflow.inputs[0])
        attached.flush()
    assert used == calls
    assert output == workflow.invoke(workflow.inputs[0])


def test_legacy_runs_leave_every_name_of_the_2_9_era_tracker(destination, workflow):
    with instrument_named("legacy_runs").attach(workflow, destination) as attached:
        attached.invoke(workflow.inputs[0])
    client = MlflowClient(destination.tracking_uri)
    experiment = client.get_experiment_by_name("measured")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    nodes = {run.info.run_name: run for run in runs if run is not parent}

    assert parent.info.run_name.startswith("writer_")
    assert set(parent.data.params) == {
        "workflow_name", "workflow_version", "schema_version", "global_model", "global_temperature", "global_provider",
    }  # fmt: skip
    assert set(parent.data.metrics) == {
        "duration_seconds", "total_input_tokens", "total_output_tokens", "total_cost_usd", "node_count", "retry_count",
        "status",
    }  # fmt: skip
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} == {"inputs.json", "outputs.json"}

    assert set(nodes) == {f"node_{name}" for name in ("research", "outline", "draft", "review", "polish")}
    for node in nodes.values():
        assert node.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert set(node.data.params) == {"node_id", "node_model", "tools"}
        assert set(node.data.metrics) == {
            "node_duration_ms", "input_tokens", "output_tokens", "retries", "node_cost_usd",
        }  # fmt: skip
        assert {"prompt", "response"} <= set(node.data.tags)
        assert {file.path for file in client.list_artifacts(node.info.run_id)} == {"prompt.txt", "response.txt"}
    assert parent.data.metrics["total_input_tokens"] == sum(run.data.metrics["input_tokens"] for run in nodes.values())


def test_a_failing_workflow_leaves_its_error_in_legacy_runs(destination, workflow, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(type(workflow), "invoke_graph", fail)
    with (
        instrument_named("legacy_runs").attach(workflow, destination) as attached,
        pytest.raises(RuntimeError, match="no such luck"),
    ):
        attached.invoke(workflow.inputs[0])
    client = MlflowClient(destination.tracking_uri)
    (run,) = client.search_runs([client.get_experiment_by_name("measured").experiment_id])
    assert run.data.metrics["status"] == 0
    path = client.download_artifacts(run.info.run_id, "error.json")
    with open(path) as file:  # noqa: PTH123
        assert json.load(file) == {"error_type": "RuntimeError", "error": "no such luck"}


def test_other_packages_add_instruments_by_entry_points(monkeypatch):
    points = [
        EntryPoint("theirs", "tracegauge.measure.instruments.off:Off", "tracegauge.instruments"),
        EntryPoint("broken", "no.such.module:Thing", "tracegauge.instruments"),
    ]
    monkeypatch.setattr("tracegauge.measure.registry.entry_points", lambda group: points)
    registry: Registry[Instrument] = Registry("instrument", "tracegauge.instruments", {"ours": "no.such:Thing"})
    assert registry.names() == ["ours", "theirs", "broken"]
    assert isinstance(registry.get("theirs"), Off)
    with pytest.raises(ConfigError, match=r"'broken' of .* can't be imported: ModuleNotFoundError"):
        registry.get("broken")
    with pytest.raises(ConfigError, match="did you mean 'theirs'"):
        registry.get("their")
