"""Reads experiments, datasets and runs of a file store."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import RunStatus, SourceType

from tracegauge.stores.entities import Entity
from tracegauge.stores.reading import Reading, derived_id, text_or_none
from tracegauge.stores.small_files import MetricPoint, UnreadableFileError, read_key_values, read_metrics, read_yaml
from tracegauge.stores.survey import META, ExperimentPlaces, Place

RUN_ID = re.compile(r"[0-9a-f]{32}")
SALVAGED_TAG = "tracegauge.salvaged"
"""Tag of a run or experiment whose own description was lost."""
ORIGINAL_ID_TAG = "tracegauge.original_id"
"""Tag of a run that had to take another id."""


@dataclass(frozen=True)
class Experiment:
    """What the things in an experiment need to know of it."""

    id: int
    folder: str
    """Name of its folder."""
    dataset_ids: dict[str, str]
    """Folder name of a dataset → its id in the target."""
    datasets: dict[tuple[str, str], str]
    """(name, digest) of a dataset → its id in the target."""


def read_experiment(places: ExperimentPlaces, reading: Reading) -> tuple[Entity, Experiment]:
    """Read an experiment's own description. One that is lost is replaced, for the runs' sake; that is a finding."""
    path = places.place.path
    folder, meta_path = Path(path).name, f"{path}/{META}"
    try:
        meta = read_yaml(meta_path)
        lost = None
    except UnreadableFileError as error:
        meta, lost = {}, str(error)
    experiment_id = reading.identities.experiment_id(folder)
    if str(experiment_id) != folder:
        reading.findings.changed("experiment", path, f"written with the id {experiment_id}")
    entity = Entity("experiment", str(experiment_id), path, deleted=places.in_trash)
    wanted = text_or_none(meta.get("name")) or f"recovered {folder}"
    name = reading.identities.experiment_name(wanted, experiment_id)
    if name != wanted:
        reading.findings.changed("experiment", path, f"another experiment is called {wanted!r}: written as {name!r}")
    entity.add(
        "experiments",
        experiment_id=experiment_id,
        name=name,
        artifact_location=reading.artifacts.place(
            text_or_none(meta.get("artifact_location")), path, folder, files=False
        ),
        lifecycle_stage="deleted" if places.in_trash else _lifecycle(meta),
        creation_time=reading.milliseconds(meta, "creation_time", meta_path),
        last_update_time=reading.milliseconds(meta, "last_update_time", meta_path),
    )
    tags = read_key_values(f"{path}/tags", "experiment tag", reading.findings)
    if lost is not None:
        tags[SALVAGED_TAG] = f"meta.yaml: {lost}"
        reading.findings.changed("experiment", meta_path, f"{lost}; written as {name!r} so that its runs arrive")
    for key, value in tags.items():
        entity.add("experiment_tags", key=key, value=value, experiment_id=experiment_id)
    return entity, Experiment(experiment_id, folder, {}, {})


def read_dataset(place: Place, experiment: Experiment, reading: Reading) -> Entity | None:
    """Read a dataset that runs were logged with; None, and a finding, if it can't be read."""
    meta = reading.meta(f"{place.path}/{META}", "dataset")
    if meta is None:
        return None
    folder = Path(place.path).name
    name, digest = str(meta.get("name", "")), str(meta.get("digest", ""))
    known = experiment.datasets.get((name, digest))
    experiment.dataset_ids[folder] = known or derived_id(str(experiment.id), folder)
    if known is not None:
        reading.findings.changed("dataset", place.path, f"the same as another: {name} {digest}")
        return None
    dataset_id = experiment.datasets[name, digest] = experiment.dataset_ids[folder]
    entity = Entity("dataset", dataset_id, place.path)
    entity.add(
        "datasets",
        dataset_uuid=dataset_id,
        experiment_id=experiment.id,
        name=name,
        digest=digest,
        dataset_source_type=str(meta.get("source_type", "")),
        dataset_source=str(meta.get("source", "")),
        dataset_schema=text_or_none(meta.get("schema")),
        dataset_profile=text_or_none(meta.get("profile")),
    )
    return entity


def read_run(place: Place, experiment: Experiment, reading: Reading) -> Entity | None:
    """Read a run with params, tags, metrics, inputs and outputs.

    A run whose meta.yaml is lost is written with what else is there, as KILLED; that is a finding. None, and a
    finding, if nothing tells its id.
    """
    path = place.path
    folder, meta_path = Path(path).name, f"{path}/{META}"
    tags = read_key_values(f"{path}/tags", "tag", reading.findings)
    metrics = read_metrics(f"{path}/metrics", reading.findings)
    meta = _run_meta(place, metrics, tags, reading)
    if meta is None:
        return None
    wanted = str(meta.get("run_id") or meta.get("run_uuid") or folder)
    run_id = reading.unique_id("run", wanted, path)
    if run_id != wanted:
        tags[ORIGINAL_ID_TAG] = wanted
    if str(meta.get("experiment_id", experiment.folder)) != experiment.folder:
        reading.findings.changed(
            "run", path, f"says it belongs to experiment {meta['experiment_id']}: stays in this one"
        )
    entity = Entity("run", run_id, path, deleted=_lifecycle(meta) == "deleted")
    entity.add(
        "runs",
        run_uuid=run_id,
        name=text_or_none(meta.get("run_name") or meta.get("name") or tags.get("mlflow.runName")),
        source_type=_source_type(meta.get("source_type")),
        source_name=text_or_none(meta.get("source_name")),
        entry_point_name=text_or_none(meta.get("entry_point_name")),
        user_id=text_or_none(meta.get("user_id")),
        status=_status(meta.get("status"), meta_path, reading),
        start_time=reading.milliseconds(meta, "start_time", meta_path),
        end_time=reading.milliseconds(meta, "end_time", meta_path),
        deleted_time=reading.milliseconds(meta, "deleted_time", meta_path),
        source_version=text_or_none(meta.get("source_version")),
        lifecycle_stage=_lifecycle(meta),
        artifact_uri=reading.artifacts.place(
            text_or_none(meta.get("artifact_uri")), f"{path}/artifacts", f"{experiment.folder}/{folder}/artifacts"
        ),
        experiment_id=experiment.id,
    )
    for key, value in read_key_values(f"{path}/params", "param", reading.findings).items():
        entity.add("params", key=key, value=value, run_uuid=run_id)
    for key, value in tags.items():
        entity.add("tags", key=key, value=value, run_uuid=run_id)
    for key, points in metrics.items():
        _add_metric(entity, key, points, f"{path}/metrics/{key}", reading)
    _add_inputs(entity, experiment, reading)
    _add_outputs(entity, reading)
    return entity


def _run_meta(
    place: Place, metrics: dict[str, list[MetricPoint]], tags: dict[str, str], reading: Reading
) -> dict[str, Any] | None:
    meta_path = f"{place.path}/{META}"
    try:
        return read_yaml(meta_path)
    except UnreadableFileError as error:
        if RUN_ID.fullmatch(Path(place.path).name) is None:
            reading.findings.skipped("run", meta_path, f"{error}, and the folder's name is no run id")
            return None
        reading.findings.changed("run", meta_path, f"{error}; written as KILLED, with what else is there")
        tags[SALVAGED_TAG] = f"meta.yaml: {error}"
    times = [point.timestamp for points in metrics.values() for point in points]
    return {
        "status": RunStatus.KILLED,
        "user_id": tags.get("mlflow.user"),
        "start_time": min(times, default=None),
        "end_time": max(times, default=None),
    }


def _add_metric(entity: Entity, key: str, points: list[MetricPoint], path: str, reading: Reading) -> None:
    rows = {}
    for point in points:
        value, is_nan = reading.finite(point, path)
        # Several infinities, or 0 and -0, may become the same point.
        rows[point.step, point.timestamp, value, is_nan] = {
            "key": key,
            "value": value,
            "timestamp": point.timestamp,
            "step": point.step,
            "is_nan": is_nan,
            "run_uuid": entity.id,
        }
    entity.rows += [("metrics", row) for row in rows.values()]
    entity.rows.append(("latest_metrics", rows[max(rows)]))


def _add_inputs(entity: Entity, experiment: Experiment, reading: Reading) -> None:
    for folder in _folders(f"{entity.path}/inputs"):
        meta_path = f"{folder}/{META}"
        meta = reading.meta(meta_path, "run input")
        if meta is None:
            continue
        source = str(meta.get("source_id"))
        is_model = meta.get("source_type") == "MODEL"
        dataset = experiment.dataset_ids.get(source)
        if not is_model and dataset is None:
            reading.findings.skipped("run input", meta_path, f"there is no dataset {source} in the experiment")
            continue
        input_id = derived_id(entity.id, "input", folder.name)
        entity.add(
            "inputs",
            input_uuid=input_id,
            source_type="RUN_INPUT" if is_model else "DATASET",
            source_id=entity.id if is_model else dataset,
            destination_type="MODEL_INPUT" if is_model else "RUN",
            destination_id=source if is_model else entity.id,
            step=0,
        )
        tags = meta.get("tags") or {}
        if not isinstance(tags, dict):
            reading.findings.skipped("tags of a run input", meta_path, f"no mapping: {tags!r}")
            continue
        for name, value in tags.items():
            entity.add("input_tags", input_uuid=input_id, name=str(name), value=str(value))


def _add_outputs(entity: Entity, reading: Reading) -> None:
    for folder in _folders(f"{entity.path}/outputs"):
        meta = reading.meta(f"{folder}/{META}", "run output")
        if meta is not None:
            entity.add(
                "inputs",
                input_uuid=derived_id(entity.id, "output", folder.name),
                source_type="RUN_OUTPUT",
                source_id=entity.id,
                destination_type="MODEL_OUTPUT",
                destination_id=folder.name,
                step=int(meta.get("step") or 0),
            )


def _folders(path: str) -> list[Path]:
    try:
        return sorted(child for child in Path(path).iterdir() if child.is_dir())
    except OSError:  # none there, or one that may not be listed: that is found by the survey
        return []


def _lifecycle(meta: dict[str, Any]) -> str:
    return "deleted" if meta.get("lifecycle_stage") == "deleted" else "active"


def _status(value: Any, path: str, reading: Reading) -> str:
    """The status by name: a file store writes it as a number; one that is missing means RUNNING to MLflow."""
    if value is None:
        return "RUNNING"
    try:
        return str(RunStatus.to_string(RunStatus.from_string(value) if isinstance(value, str) else value))
    except Exception:
        reading.findings.changed("run", path, f"its status {value!r} is none that MLflow knows: written as KILLED")
        return "KILLED"


def _source_type(value: Any) -> str:
    try:
        return str(SourceType.to_string(value))
    except Exception:
        return "LOCAL"
