"""A database is copied to another: nothing lost, nothing doubled, however often and however interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Metric

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import StoreError
from tracegauge.stores.sync import SyncOptions, sync

SOURCE_TAG = "tracegauge.source_run_id"
MARK = "tracegauge.synced."


STAYS = {"deleted run": 1, "run of a deleted experiment": 1, "logged model": 1, "registered model": 1}
"""What the fallback store holds that sync does not copy, and tells."""


def assert_is_home(source, target):
    """Everything active of one snapshot is in the other once, with runs and experiments under new ids."""
    names = {one_id: one["name"] for one_id, one in source["experiments"].items()}
    target_names = {one_id: one["name"] for one_id, one in target["experiments"].items()}
    runs = {run_id: run for run_id, run in source["runs"].items() if run["stage"] == "active"}
    copies = {run["tags"][SOURCE_TAG]: (run_id, run) for run_id, run in target["runs"].items()}
    assert len(target["runs"]) == len(copies), "a run was copied twice"
    assert copies.keys() == runs.keys()
    ids = {source_id: run_id for source_id, (run_id, _) in copies.items()}
    for source_id, run in runs.items():
        _, copy = copies[source_id]
        assert target_names[copy["experiment"]] == names[run["experiment"]]
        wanted = {key: value for key, value in run["tags"].items() if not key.startswith(MARK)}
        if "mlflow.parentRunId" in wanted:
            wanted["mlflow.parentRunId"] = ids[wanted["mlflow.parentRunId"]]
        assert copy["tags"] == wanted | {SOURCE_TAG: source_id}
        same = ("name", "user", "status", "times", "stage", "params", "metrics", "latest", "datasets", "artifacts")
        assert {key: copy[key] for key in same} == {key: run[key] for key in same}
    assert target["traces"].keys() == source["traces"].keys()
    for trace_id, trace in source["traces"].items():
        copy = target["traces"][trace_id]
        assert target_names[copy["experiment"]] == names[trace["experiment"]]
        wanted = dict(trace["metadata"])
        if "mlflow.sourceRun" in wanted:
            wanted["mlflow.sourceRun"] = ids[wanted["mlflow.sourceRun"]]
        # A newer MLflow notes with every trace that it writes that it is whole.
        assert {key: value for key, value in copy["metadata"].items() if key != "mlflow.trace.infoFinalized"} == wanted
        assert copy["tags"] == {key: one for key, one in trace["tags"].items() if not key.startswith(MARK)}
        for key in ("times", "state", "previews", "spans", "assessments"):
            assert copy[key] == trace[key], key


def test_a_fallback_store_goes_home(fallback, read_store, tmp_path):
    before = read_store(fallback)
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    report = sync(fallback, target)
    assert (report.runs.copied, report.traces.copied, report.artifacts) == (2, 3, 2)
    assert report.complete
    assert {finding.kind: finding.count for finding in report.findings} == STAYS
    home = read_store(target)
    assert_is_home(before, home)

    again = sync(fallback, target)
    assert (again.runs.unchanged, again.traces.unchanged) == (2, 3)
    assert (again.runs.copied, again.traces.copied, again.artifacts) == (0, 0, 0)
    assert read_store(target) == home


def test_traces_of_deleted_experiments_stay_behind_too(fallback, tmp_path):
    mlflow.set_tracking_uri(fallback)
    client = mlflow.MlflowClient()
    closed = client.create_experiment("closed")
    client.end_trace(client.start_trace("left behind", experiment_id=closed).trace_id)
    mlflow.flush_trace_async_logging()
    client.delete_experiment(closed)
    report = sync(fallback, f"sqlite:///{tmp_path}/home/mlflow.db")
    assert (report.runs.copied, report.traces.copied) == (2, 3)
    found = {finding.kind: finding.count for finding in report.findings}
    assert found == STAYS | {"trace of a deleted experiment": 1}
    assert {finding.action for finding in report.findings} == {"noted"}


def test_what_has_changed_is_updated(fallback, read_store, tmp_path):
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    sync(fallback, target)
    client = mlflow.MlflowClient(fallback)
    (run,) = [one for one in runs_of(client) if one.info.run_name == "workflow"]
    client.log_batch(run.info.run_id, [Metric("loss", 0.01, 1_700_000_000_100, 9)])
    client.set_tag(run.info.run_id, "late", "yes")
    mlflow.set_tracking_uri(fallback)
    trace = client.search_traces(locations=[run.info.experiment_id])[0]
    client.set_trace_tag(trace.info.trace_id, "late", "yes")
    mlflow.log_feedback(trace_id=trace.info.trace_id, name="late", value=3)
    report = sync(fallback, target)
    assert (report.runs.updated, report.runs.unchanged) == (1, 1)
    assert (report.traces.updated, report.traces.unchanged) == (1, 2)
    assert_is_home(read_store(fallback), read_store(target))


def runs_of(client):
    return client.search_runs([one.experiment_id for one in client.search_experiments()])


def test_marks_that_are_lost_don_t_double_anything(fallback, read_store, tmp_path):
    """Runs are found by the source's id in the target, even if the source knows nothing of an earlier sync."""
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    sync(fallback, target)
    home = read_store(target)
    client = mlflow.MlflowClient(fallback)
    for run in runs_of(client):
        for key in run.data.tags:
            if key.startswith("tracegauge.synced."):
                client.delete_tag(run.info.run_id, key)
    report = sync(fallback, target)
    assert report.runs.copied == 2
    assert read_store(target)["runs"].keys() == home["runs"].keys()
    assert_is_home(read_store(fallback), read_store(target))


def test_two_targets_are_kept_apart(fallback, read_store, tmp_path):
    for name in ("one", "two"):
        assert sync(fallback, f"sqlite:///{tmp_path}/{name}/mlflow.db").runs.copied == 2
        assert_is_home(read_store(fallback), read_store(f"sqlite:///{tmp_path}/{name}/mlflow.db"))


def test_pruning_deletes_only_what_is_home(fallback, read_store, tmp_path):
    before = read_store(fallback)
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    report = sync(fallback, target, SyncOptions(prune=True))
    assert (report.runs.pruned, report.traces.pruned) == (2, 3)
    assert_is_home(before, read_store(target))
    after = read_store(fallback)
    assert after["traces"] == {}
    assert {run["stage"] for run in after["runs"].values()} == {"deleted"}
    assert sync(fallback, target).runs.copied == 0


def test_a_copy_that_was_deleted_stays_deleted(fallback, read_store, tmp_path):
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    report = sync(fallback, target)
    source_id, target_id = next(iter(report.run_ids.items()))
    mlflow.MlflowClient(target).delete_run(target_id)
    mlflow.MlflowClient(fallback).set_tag(source_id, "late", "yes")
    report = sync(fallback, target)
    assert [finding.path for finding in report.findings if "stays so" in finding.reason] == [source_id]
    assert read_store(target)["runs"][target_id]["stage"] == "deleted"


def test_postgresql_as_a_target(fallback, postgresql, read_store, tmp_path):
    report = sync(fallback, postgresql, SyncOptions(artifact_root=tmp_path / "artifacts"))
    assert report.complete
    assert_is_home(read_store(fallback), read_store(postgresql))
    assert sync(fallback, postgresql).runs.copied == 0


@pytest.mark.slow
def test_killed_at_any_moment_and_repeated(fallback, read_store, tmp_path):
    """Killed once after each run and each trace, and once in between; then it is run to its end."""
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    before = read_store(fallback)
    for steps in range(1, 6):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED_AFTER, fallback, target, str(steps)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    report = sync(fallback, target)
    assert report.complete
    assert_is_home(before, read_store(target))


def test_what_came_late_to_a_finished_run_goes_home_too(tmp_path):
    source, target = (f"sqlite:///{tmp_path}/{name}/mlflow.db" for name in ("away", "home"))
    (tmp_path / "away").mkdir()
    client = mlflow.MlflowClient(source)
    experiment = client.create_experiment("late", artifact_location=(tmp_path / "away" / "artifacts").as_uri())
    run = client.create_run(experiment).info.run_id
    client.log_metric(run, "loss", 0.5, timestamp=2000, step=2)
    client.set_terminated(run)
    copy = sync(source, target).run_ids[run]
    client.log_text(run, "late", "folder/late.txt")
    report = sync(source, target)
    assert (report.runs.updated, report.artifacts) == (1, 1)
    client.log_metric(run, "loss", 1.0, timestamp=1000, step=1)
    assert sync(source, target).runs.updated == 1
    there = mlflow.MlflowClient(target)
    assert sorted(point.step for point in there.get_metric_history(copy, "loss")) == [1, 2]
    assert [file.path for file in there.list_artifacts(copy, "folder")] == ["folder/late.txt"]
    assert sync(source, target).runs.unchanged == 1


KILLED_AFTER = """
import sys
from tracegauge.stores.sync import SyncOptions, sync

left = int(sys.argv[3])

def progress(*step):
    global left
    left -= 1
    if left == 0:
        print(step, flush=True)

sync(sys.argv[1], sys.argv[2], SyncOptions(on_progress=progress))
print("done", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.4, 0.9, 1.6, 2.6])
@pytest.mark.slow
def test_killed_at_a_random_time_and_repeated(seconds, fallback, read_store, tmp_path):
    target = f"sqlite:///{tmp_path}/home/mlflow.db"
    sync(fallback, f"sqlite:///{tmp_path}/other/mlflow.db")  # so that the schema is not what the time is spent on
    mlflow.MlflowClient(target).search_experiments()
    code = "import sys; from tracegauge.stores.sync import sync; print(1, flush=True); sync(sys.argv[1], sys.argv[2])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, fallback, target], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    process.wait(60)
    assert sync(fallback, target).complete
    assert_is_home(read_store(fallback), read_store(target))


def test_one_sync_of_a_source_at_a_time(fallback, tmp_path):
    from tracegauge.stores.sync import _alone

    with _alone(fallback), pytest.raises(StoreError, match=r"another sync of .* is running"):
        sync(fallback, f"sqlite:///{tmp_path}/home/mlflow.db")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("{fallback}", "{fallback}", "are the same store"),
        ("./mlruns", "sqlite:///x.db", r"is a file store.*\n.*tracegauge migrate ./mlruns"),
        ("{fallback}", "file:./mlruns", "is a file store"),
        ("sqlite:///nowhere.db", "sqlite:///x.db", "there is no file"),
        ("http://127.0.0.1:1", "sqlite:///x.db", "copies from a database"),
        ("{fallback}", "no-such-db://x", "is not a database URI"),
    ],
)
def test_bad_ends_are_refused(source, target, message, fallback, workdir):
    with pytest.raises(ConfigError, match=message):
        sync(source.format(fallback=fallback), target.format(fallback=fallback))
    assert not (workdir / "x.db").exists()


def test_an_old_database_is_not_upgraded_in_passing(sqlite_29, tmp_path):
    """MLflow would do that when it opens it, without a backup."""
    old = Path(tmp_path / "old.db")
    old.write_bytes(sqlite_29.read_bytes())
    with pytest.raises(ConfigError, match=r"another schema.*\n.*tracegauge migrate"):
        sync(f"sqlite:///{old}", f"sqlite:///{tmp_path}/x.db")
    assert old.read_bytes() == sqlite_29.read_bytes()
