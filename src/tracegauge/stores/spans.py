"""Reads the spans of a trace from its `traces.json` as rows of MLflow's table of spans."""

import json
from base64 import b64decode
from typing import Any

from mlflow.entities import Span

from tracegauge.stores.entities import Row, SpanFile
from tracegauge.stores.small_files import UnreadableFileError, read_bytes

SPAN_FILE = "traces.json"
ARTIFACT_LOCATION_TAG = "mlflow.artifactLocation"
SPANS_LOCATION_TAG = "mlflow.trace.spansLocation"
IN_DATABASE = "TRACKING_STORE"
"""Value of that tag which tells MLflow to read the spans from the database."""


def read_spans(file: SpanFile, columns: frozenset[str] = frozenset()) -> list[Row]:
    """Read the spans of a trace; with the columns that newer schemas derive for dashboards, if `columns` has them.

    Raises UnreadableFileError if any of them can't be read.
    """
    content = read_bytes(file.path)
    try:
        spans = json.loads(content)["spans"]
        return [_row(span, file, columns) for span in spans]
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise UnreadableFileError(f"not valid JSON: {error}") from error
    except Exception as error:  # MLflow raises whatever the missing field happens to cause
        raise UnreadableFileError(f"no spans can be made of it: {error!r}") from error


def _row(span: dict[str, Any], file: SpanFile, columns: frozenset[str]) -> Row:
    if "context" in span:  # 2.x
        span = Span.from_dict(span).to_dict()
    attributes = span.get("attributes") or {}
    parent = span.get("parent_span_id")
    return {
        "trace_id": file.trace_id,
        "experiment_id": file.experiment_id,
        "span_id": b64decode(span["span_id"]).hex(),
        "parent_span_id": b64decode(parent).hex() if parent else None,
        "name": span["name"],
        "type": _attribute(attributes, "mlflow.spanType"),
        "status": span["status"]["code"].removeprefix("STATUS_CODE_"),
        "start_time_unix_nano": span["start_time_unix_nano"],
        "end_time_unix_nano": span.get("end_time_unix_nano"),
        "content": json.dumps(span),
        **(_for_dashboards(attributes) if "model_name" in columns else {}),
    }


def _for_dashboards(attributes: dict[str, Any]) -> Row:
    """What MLflow 3.17 and later keep of a span in columns of its own."""
    cost = _attribute(attributes, "mlflow.llm.cost")
    costs = cost if isinstance(cost, dict) else {}
    return {
        "model_name": _attribute(attributes, "mlflow.llm.model"),
        "model_provider": _attribute(attributes, "mlflow.llm.provider"),
        **{key: costs.get(key) for key in ("input_cost", "output_cost", "total_cost")},
    }


def _attribute(attributes: dict[str, Any], name: str) -> Any:
    """The value of an attribute, which MLflow keeps as JSON."""
    value = attributes.get(name)
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
