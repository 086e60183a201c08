"""Tells whether MLflow itself reads the traces of a database as they were written."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from mlflow.entities import TraceInfo
from mlflow.store.tracking.abstract_store import AbstractStore

from tracegauge.stores.entities import Entity
from tracegauge.stores.spans import SPANS_LOCATION_TAG

TOKEN_USAGE = "mlflow.trace.tokenUsage"
COST = "mlflow.trace.cost"
SESSION = "mlflow.trace.session"
_PAGE = 500


class TraceDigests:
    """A hash of what is known of each trace, apart from spans and assessments, which are compared as rows.

    Newer schemas keep some tags and metadata in columns of their own, so rows are not compared but what MLflow reads.
    """

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}

    def add(self, entity: Entity) -> None:
        """Take in a trace as it is written."""
        info = next(row for table, row in entity.rows if table == "trace_info")
        self._digests[entity.id] = _digest(
            [
                str(info["experiment_id"]),
                info["timestamp_ms"],
                info["execution_time_ms"],
                info["status"],
                info["client_request_id"],
                info["request_preview"],
                info["response_preview"],
            ],
            {row["key"]: row["value"] for table, row in entity.rows if table == "trace_tags"},
            {row["key"]: row["value"] for table, row in entity.rows if table == "trace_request_metadata"},
        )

    def differences(self, store: AbstractStore, experiment_ids: Iterable[str]) -> list[str]:
        """Read all traces with MLflow and describe those that are missing, too many or not as they were written."""
        found = {info.trace_id: _digest_of(info) for info in search_all_traces(store, experiment_ids)}
        ids = self._digests.keys() | found.keys()
        return [f"trace {one}: not as written" for one in sorted(ids) if self._digests.get(one) != found.get(one)]


def search_all_traces(store: AbstractStore, experiment_ids: Iterable[str]) -> Iterator[TraceInfo]:
    """All traces of some experiments, without their spans."""
    for experiment_id in experiment_ids:
        token = None
        while True:
            infos, token = store.search_traces(locations=[experiment_id], max_results=_PAGE, page_token=token)
            yield from infos
            if not token:
                break


def _digest_of(info: TraceInfo) -> bytes:
    fields = [
        info.experiment_id,
        info.request_time,
        info.execution_duration,
        str(info.state),
        info.client_request_id,
        info.request_preview,
        info.response_preview,
    ]
    return _digest(fields, info.tags, info.trace_metadata)


def _digest(fields: list[Any], tags: dict[str, str], metadata: dict[str, str]) -> bytes:
    known = {key: value for key, value in tags.items() if key != SPANS_LOCATION_TAG}
    text = repr([fields, sorted(known.items()), sorted(kept_metadata(metadata).items())])
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).digest()


def kept_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata in the one form that survives every schema: MLflow 3.17 keeps token counts and costs as numbers."""
    kept = dict(metadata)
    for key in (TOKEN_USAGE, COST):
        if key in kept:
            numbers = _numbers(kept.pop(key))
            kept |= {key: json.dumps(numbers, sort_keys=True)} if numbers else {}
    return kept


def _numbers(text: str) -> dict[str, float]:
    try:
        values = json.loads(text)
        return {
            key: float(value)
            for key, value in values.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        }
    except (AttributeError, ValueError):
        return {}
