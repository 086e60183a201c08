"""A new experiment's artifacts lie beside its database, where they spoil no file store that is there too."""

import shutil
import subprocess
import sys
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


STARTED_AT_ONCE = """
import sys
import mlflow.store.tracking.sqlalchemy_store
from tracegauge.tracking import MLFlowTracker
print("ready", flush=True)
sys.stdin.readline()
with MLFlowTracker({"enabled": True, "tracking_uri": "sqlite:///new.db"}) as tracker:
    with tracker.span("root"):
        pass
    print(tracker.tracking_uri)
"""


@pytest.mark.slow
def test_processes_that_make_the_same_new_database_at_once_all_track_into_it(in_tmp_path: Path):
    command, uri = [sys.executable, "-c", STARTED_AT_ONCE], f"sqlite:///{in_tmp_path}/new.db"
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert output.strip() == uri, errors
    client = mlflow.MlflowClient(uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert len(client.search_traces(locations=experiments)) == 3
