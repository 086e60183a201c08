"""Reads traces of a file store: what is known of them, and their assessments. Their spans are read by `spans`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow.entities import Assessment, TraceInfo

from tracegauge.stores.entities import Entity, Row, SpanFile
from tracegauge.stores.filestore_runs import SALVAGED_TAG, Experiment
from tracegauge.stores.reading import Reading
from tracegauge.stores.small_files import UnreadableFileError, read_key_values, read_yaml
from tracegauge.stores.spans import ARTIFACT_LOCATION_TAG, SPAN_FILE, SPANS_LOCATION_TAG, read_spans
from tracegauge.stores.survey import Place

TRACE_INFO = "trace_info.yaml"
TOKEN_USAGE = "mlflow.trace.tokenUsage"
_TOKEN_KEYS = ("input_tokens", "output_tokens", "total_tokens")


def read_trace(place: Place, experiment: Experiment, reading: Reading) -> tuple[Entity, SpanFile | None] | None:
    """Read a trace and its assessments, and where its spans stand.

    A trace whose trace_info.yaml is lost is described by its spans; that is a finding. None, and a finding, if it has
    none.
    """
    path = place.path
    tags = read_key_values(f"{path}/tags", "trace tag", reading.findings)
    metadata = read_key_values(f"{path}/request_metadata", "trace metadata", reading.findings)
    try:
        info = _trace_info(read_yaml(f"{path}/{TRACE_INFO}"), metadata)
    except (UnreadableFileError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = str(error) if isinstance(error, UnreadableFileError) else f"no trace can be made of it: {error!r}"
        salvaged = _salvage(path, reason, reading)
        if salvaged is None:
            return None
        info = salvaged
        tags[SALVAGED_TAG] = f"{TRACE_INFO}: {reason}"
    wanted = info["request_id"]
    trace_id = info["request_id"] = reading.unique_id("trace", wanted, path)
    span_path = f"{path}/artifacts/{SPAN_FILE}"
    spans = SpanFile(trace_id, experiment.id, span_path) if os.path.exists(span_path) else None  # noqa: PTH110
    if spans is None:
        reading.findings.noted("trace", span_path, "there is no such file: the trace has no spans")
    tags.pop(SPANS_LOCATION_TAG, None)
    tags[ARTIFACT_LOCATION_TAG] = reading.artifacts.place(
        tags.get(ARTIFACT_LOCATION_TAG),
        f"{path}/artifacts",
        f"{experiment.folder}/traces/{Path(path).name}/artifacts",
        leave=frozenset({SPAN_FILE}),
    )
    entity = Entity("trace", trace_id, path)
    entity.add("trace_info", experiment_id=experiment.id, **info)
    for key, value in tags.items():
        entity.add("trace_tags", key=key, value=value, request_id=trace_id)
    for key, value in metadata.items():
        entity.add("trace_request_metadata", key=key, value=value, request_id=trace_id)
    for key, number in _token_usage(metadata).items():
        entity.add("trace_metrics", request_id=trace_id, key=key, value=number)
    _add_assessments(entity, trace_id, reading)
    return entity, spans


def _trace_info(meta: dict[str, Any], metadata: dict[str, str]) -> Row:
    if "request_id" in meta:  # 2.x
        old = TraceInfo.from_dict({**meta, "request_metadata": metadata, "tags": {}})
        return {
            "request_id": old.trace_id,
            "timestamp_ms": old.request_time,
            "execution_time_ms": old.execution_duration,
            "status": str(old.state),
            "client_request_id": old.client_request_id,
            "request_preview": old.request_preview,
            "response_preview": old.response_preview,
        }
    duration = meta.get("execution_duration_ms")
    return {
        "request_id": str(meta["trace_id"]),
        "timestamp_ms": milliseconds(meta["request_time"]),
        "execution_time_ms": None if duration is None else int(duration),
        "status": str(meta.get("state") or "STATE_UNSPECIFIED"),
        "client_request_id": meta.get("client_request_id"),
        "request_preview": meta.get("request_preview"),
        "response_preview": meta.get("response_preview"),
    }


def milliseconds(time: Any) -> int:
    """Milliseconds since 1970 of an ISO 8601 time, which YAML may have read as a time already.

    Raises ValueError and TypeError.
    """
    moment = time if isinstance(time, datetime) else datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # In integers: a float of seconds is off by a millisecond now and then.
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def _salvage(path: str, reason: str, reading: Reading) -> Row | None:
    """What the spans tell of a trace: times and status."""
    info_path = f"{path}/{TRACE_INFO}"
    try:
        rows = read_spans(SpanFile(Path(path).name, 0, f"{path}/artifacts/{SPAN_FILE}"))
    except UnreadableFileError as error:
        reading.findings.skipped("trace", info_path, f"{reason}; and its spans: {error}")
        return None
    root = next((row for row in rows if row["parent_span_id"] is None), None)
    if root is None:
        reading.findings.skipped("trace", info_path, f"{reason}; and it has no root span")
        return None
    reading.findings.changed("trace", info_path, f"{reason}; times and status are those of its root span")
    start, end = root["start_time_unix_nano"], root["end_time_unix_nano"]
    return {
        "request_id": Path(path).name,
        "timestamp_ms": start // 1_000_000,
        "execution_time_ms": None if end is None else (end - start) // 1_000_000,
        "status": {"OK": "OK", "ERROR": "ERROR"}.get(root["status"], "STATE_UNSPECIFIED"),
        "client_request_id": None,
        "request_preview": None,
        "response_preview": None,
    }


def _token_usage(metadata: dict[str, str]) -> dict[str, float]:
    try:
        usage = json.loads(metadata.get(TOKEN_USAGE, "{}"))
        return {key: float(usage[key]) for key in _TOKEN_KEYS if usage.get(key) is not None}
    except (AttributeError, TypeError, ValueError):
        return {}


def _add_assessments(entity: Entity, trace_id: str, reading: Reading) -> None:
    folder = Path(entity.path) / "assessments"
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        meta = reading.meta(str(path), "assessment")
        if meta is None:
            continue
        try:
            assessment = Assessment.from_dictionary(meta)
        except Exception as error:  # MLflow raises whatever the missing field happens to cause
            reading.findings.skipped("assessment", str(path), f"MLflow can't make one of it: {error!r}")
            continue
        assessment_id = reading.unique_id("assessment", str(assessment.assessment_id or path.stem), str(path))
        entity.rows.append(("assessments", _assessment_row(assessment, meta, assessment_id, trace_id)))


def _assessment_row(assessment: Assessment, meta: dict[str, Any], assessment_id: str, trace_id: str) -> Row:
    kind = "feedback" if assessment.feedback is not None else "expectation"
    held = assessment.feedback if assessment.feedback is not None else assessment.expectation
    error = getattr(held, "error", None)
    return {
        "assessment_id": assessment_id,
        "trace_id": trace_id,
        "name": assessment.name,
        "assessment_type": kind,
        "value": json.dumps(held.value),
        "error": json.dumps(error.to_dictionary()) if error else None,
        "created_timestamp": assessment.create_time_ms,
        "last_updated_timestamp": assessment.last_update_time_ms,
        "source_type": assessment.source.source_type,
        "source_id": assessment.source.source_id,
        "run_id": assessment.run_id,
        "span_id": assessment.span_id,
        "rationale": assessment.rationale,
        # MLflow forgets these two when it reads an expectation.
        "overrides": meta.get("overrides"),
        "valid": meta.get("valid") is not False,
        "assessment_metadata": json.dumps(assessment.metadata) if assessment.metadata else None,
    }
