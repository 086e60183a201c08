"""A new experiment's artifacts lie beside its database, where they spoil no file store that is there too."""

import shutil
from pathlib import Path

import mlflow
import pytest

from tracegauge.tracking import MLFlowTracker
from tracegauge.tracking.delivery.fallback import ExperimentNames, Fallback
from tracegauge.tracking.experiments import find_or_create


@pytest.mark.filterwarnings("ignore:MLFlowTracker.track_node is deprecated")
def test_a_file_store_in_the_same_folder_gets_none_of_it(in_tmp_path: Path, sqlite_uri: str):
    experiment = in_tmp_path / "mlruns" / "0"
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text("experiment_id: '0'\n")
    config = {
        "enabled": True,
        "tracking_uri": "sqlite:///mlflow.db",
        "experiment_name": "team / agents",
        "log_artifacts": True,
        "artifact_level": "full",
    }
    with MLFlowTracker(config) as tracker, tracker.track_workflow({"topic": "tides"}):
        with tracker.track_node("draft", "some-model"):
            tracker.log_node_metrics(1, 2, "some-model", prompt="Write", response="Done")
        tracker.finalize_workflow({"article": "Done"}, status="success")
    assert [path.name for path in (in_tmp_path / "mlruns").iterdir()] == ["0"]
    client = mlflow.MlflowClient(sqlite_uri)
    stored = client.get_experiment_by_name("team / agents")
    runs = client.search_runs([stored.experiment_id])
    assert any(client.list_artifacts(run.info.run_id) for run in runs)
    assert all(
        Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(in_tmp_path / "mlartifacts") for run in runs
    )


def test_a_deleted_experiment_is_restored_and_an_old_one_keeps_its_place(in_tmp_path: Path, sqlite_uri: str):
    client = mlflow.MlflowClient(sqlite_uri)
    old = client.create_experiment("old", artifact_location=(in_tmp_path / "elsewhere").as_uri())
    client.delete_experiment(old)
    assert find_or_create(sqlite_uri, "old") == old
    stored = client.get_experiment(old)
    assert stored.lifecycle_stage == "active"
    assert stored.artifact_location == (in_tmp_path / "elsewhere").as_uri()


def test_the_fallback_stores_experiments_have_their_artifacts_beside_it(in_tmp_path: Path, empty_database: Path):
    fallback_uri = f"sqlite:///{shutil.copy(empty_database, in_tmp_path / 'fallback.db')}"
    fallback = Fallback(fallback_uri, ExperimentNames("http://127.0.0.1:9"))
    created = mlflow.MlflowClient(fallback_uri).get_experiment(fallback._experiment_id("7"))
    assert created.artifact_location == (in_tmp_path / "mlartifacts" / "experiment_7").as_uri()
