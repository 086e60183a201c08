"""What the tracker left on disk because no store would take it is taken along by sync."""

import json

import mlflow
from mlflow.entities import Span

from tracegauge.stores.sync import SyncOptions, sync
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.spill import Spill


def parcels_of(store, experiment_id):
    """The traces of a file store as the tracker would have spilled them."""
    from mlflow.tracing.client import TracingClient

    client = TracingClient(str(store))
    for path in sorted(store.glob("*/traces/*/artifacts/traces.json")):
        info = client.get_trace_info(path.parents[1].name)
        info.trace_metadata.pop("mlflow.sourceRun", None)
        info.tags.pop("mlflow.artifactLocation")  # the tracker spills traces before a store has told theirs
        spans = tuple(Span.from_dict(span) for span in json.loads(path.read_text())["spans"])
        yield Parcel(info.trace_id, info.experiment_id, spans, info).readdressed(experiment_id)


def test_spilled_traces_go_home_once(written_now, allow_file_store, read_store, tmp_path):
    fallback, target = f"sqlite:///{tmp_path}/fallback.db", f"sqlite:///{tmp_path}/home.db"
    mlflow.MlflowClient(fallback).create_experiment("agents")
    experiment_id = mlflow.MlflowClient(target).create_experiment("agents")
    folder = tmp_path / "spill"
    spill = Spill(folder, target, max_bytes=1 << 20)
    wanted = [parcel.trace_id for parcel in parcels_of(written_now, experiment_id)]
    for parcel in parcels_of(written_now, experiment_id):
        assert spill.append(parcel.to_json()) is None
    options = SyncOptions(spill_folder=folder)
    assert sync(fallback, target, options).spilled == 0, "a process that still runs keeps its own files"
    spill.close()

    assert sync(fallback, target, options).spilled == 3
    home = read_store(target)
    assert sorted(home["traces"]) == sorted(wanted)
    assert sum(len(trace["spans"]) for trace in home["traces"].values()) == 5
    assert list(folder.iterdir()) == []
    assert sync(fallback, target, options).spilled == 0
    assert read_store(target) == home


def test_a_damaged_line_is_reported_and_the_others_go_home(written_now, allow_file_store, tmp_path):
    fallback, target = f"sqlite:///{tmp_path}/fallback.db", f"sqlite:///{tmp_path}/home.db"
    mlflow.MlflowClient(fallback).create_experiment("agents")
    experiment_id = mlflow.MlflowClient(target).create_experiment("agents")
    spill = Spill(tmp_path / "spill", target, max_bytes=1 << 20)
    for parcel in parcels_of(written_now, experiment_id):
        spill.append(parcel.to_json())
    spill.append('{"not": "a trace"}')
    spill.close()
    (file,) = (tmp_path / "spill").iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0][:40] + b"?\n" + b"".join(lines[1:]))
    report = sync(fallback, target, SyncOptions(spill_folder=tmp_path / "spill"))
    assert report.spilled == 2
    assert [one.kind for one in report.findings if one.action == "skipped"] == ["spilled trace"] * 2
    assert not report.complete
