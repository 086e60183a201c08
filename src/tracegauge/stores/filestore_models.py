"""Reads logged models and registered models of a file store."""

from pathlib import Path
from typing import Any

from mlflow.entities import LoggedModelStatus

from tracegauge.stores.entities import Entity
from tracegauge.stores.filestore_runs import Experiment
from tracegauge.stores.reading import Reading, text_or_none
from tracegauge.stores.small_files import UnreadableFileError, read_key_values, read_metrics, read_text, walk_files
from tracegauge.stores.survey import META, Place


def read_logged_model(place: Place, experiment: Experiment, reading: Reading) -> Entity | None:
    """Read a logged model (3.x) with params, tags and metrics; None, and a finding, if it can't be read."""
    path, meta_path = place.path, f"{place.path}/{META}"
    meta = reading.meta(meta_path, "logged model")
    if meta is None:
        return None
    model_id = reading.unique_id("logged model", str(meta.get("model_id") or Path(path).name), path)
    deleted = meta.get("lifecycle_stage") == "deleted"
    entity = Entity("logged model", model_id, path, deleted=deleted)
    owner = {"model_id": model_id, "experiment_id": experiment.id}
    entity.add(
        "logged_models",
        **owner,
        name=str(meta.get("name") or ""),
        artifact_location=reading.artifacts.place(
            text_or_none(meta.get("artifact_location")),
            f"{path}/artifacts",
            f"{experiment.folder}/models/{Path(path).name}/artifacts",
        ),
        creation_timestamp_ms=reading.milliseconds(meta, "creation_timestamp", meta_path) or 0,
        last_updated_timestamp_ms=reading.milliseconds(meta, "last_updated_timestamp", meta_path) or 0,
        status=_status(meta.get("status")),
        lifecycle_stage="deleted" if deleted else "active",
        model_type=text_or_none(meta.get("model_type")),
        source_run_id=text_or_none(meta.get("source_run_id")),
        status_message=text_or_none(meta.get("status_message")),
    )
    for key, value in read_key_values(f"{path}/params", "model param", reading.findings).items():
        entity.add("logged_model_params", **owner, param_key=key, param_value=value)
    for key, value in read_key_values(f"{path}/tags", "model tag", reading.findings).items():
        entity.add("logged_model_tags", **owner, tag_key=key, tag_value=value)
    _add_metrics(entity, owner, experiment, reading)
    return entity


def _add_metrics(entity: Entity, owner: dict[str, Any], experiment: Experiment, reading: Reading) -> None:
    for name, points in read_metrics(f"{entity.path}/metrics", reading.findings).items():
        path = f"{entity.path}/metrics/{name}"
        rows = {}
        for point in points:
            if len(point.rest) not in (1, 3):
                reading.findings.skipped(
                    "metric line", path, "a logged model's metric names its run and maybe a dataset"
                )
                continue
            value, is_nan = reading.finite(point, path)
            if is_nan:
                reading.findings.changed("metric point", path, "NaN is written as 0, as MLflow does for logged models")
            run_id, dataset_name, dataset_digest = (*point.rest, None, None)[:3]
            rows[point.timestamp, point.step, run_id] = {
                **owner,
                "metric_name": name,
                "metric_timestamp_ms": point.timestamp,
                "metric_step": point.step,
                "metric_value": value,
                "run_id": run_id,
                "dataset_uuid": experiment.datasets.get((dataset_name or "", dataset_digest or "")),
                "dataset_name": dataset_name,
                "dataset_digest": dataset_digest,
            }
        if len(rows) < len(points):
            reading.findings.changed(
                "metric line", path, "the last of several values of one time, step and run is kept"
            )
        entity.rows += [("logged_model_metrics", row) for row in rows.values()]


def _status(value: Any) -> int:
    if isinstance(value, str) and value in LoggedModelStatus.__members__:
        return int(LoggedModelStatus[value].to_int())
    return value if isinstance(value, int) else int(LoggedModelStatus.PENDING.to_int())


def read_registered_model(place: Place, reading: Reading) -> Entity | None:
    """Read a registered model with its versions, tags and aliases; None, and a finding, if it can't be read."""
    path, meta_path = place.path, f"{place.path}/{META}"
    meta = reading.meta(meta_path, "registered model")
    if meta is None:
        return None
    name = reading.unique_id("registered model", str(meta.get("name") or Path(path).name), path)
    entity = Entity("registered model", name, path)
    entity.add(
        "registered_models",
        name=name,
        creation_time=reading.milliseconds(meta, "creation_timestamp", meta_path),
        last_updated_time=reading.milliseconds(meta, "last_updated_timestamp", meta_path),
        description=text_or_none(meta.get("description")),
    )
    for key, value in read_key_values(f"{path}/tags", "registered model tag", reading.findings).items():
        entity.add("registered_model_tags", key=key, value=value, name=name)
    versions = {_add_version(entity, folder, reading) for folder in sorted(Path(path).glob("version-*"))}
    for alias, alias_path in walk_files(f"{path}/aliases"):
        try:
            version = int(read_text(alias_path, "alias", reading.findings))
        except (UnreadableFileError, ValueError) as error:
            reading.findings.skipped("alias", alias_path, str(error))
            continue
        if version in versions:
            entity.add("registered_model_aliases", alias=alias, version=version, name=name)
        else:
            reading.findings.skipped("alias", alias_path, f"there is no version {version}")
    return entity


def _add_version(entity: Entity, folder: Path, reading: Reading) -> int | None:
    path = f"{folder}/{META}"
    meta = reading.meta(path, "model version")
    if meta is None:
        return None
    try:
        version = int(meta["version"])
    except (KeyError, TypeError, ValueError, OverflowError):
        reading.findings.skipped("model version", path, "it has no version number")
        return None
    entity.add(
        "model_versions",
        name=entity.id,
        version=version,
        creation_time=reading.milliseconds(meta, "creation_timestamp", path),
        last_updated_time=reading.milliseconds(meta, "last_updated_timestamp", path),
        description=text_or_none(meta.get("description")),
        user_id=text_or_none(meta.get("user_id")),
        current_stage=str(meta.get("current_stage") or "None"),
        source=reading.artifacts.follow(text_or_none(meta.get("source"))),
        storage_location=reading.artifacts.follow(text_or_none(meta.get("storage_location"))),
        run_id=text_or_none(meta.get("run_id")),
        run_link=text_or_none(meta.get("run_link")),
        status=str(meta.get("status") or "READY"),
        status_message=text_or_none(meta.get("status_message")),
    )
    for key, value in read_key_values(f"{folder}/tags", "model version tag", reading.findings).items():
        entity.add("model_version_tags", key=key, value=value, name=entity.id, version=version)
    return version
