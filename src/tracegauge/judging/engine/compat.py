"""What the engine needs of MLflow's SQL store that has no public way: the one place in this room that knows.

Tested on the oldest and the newest supported MLflow.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from mlflow.store.tracking.dbmodels.models import SqlAssessments, SqlTraceInfo
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing.client import TracingClient

_CHUNK = 500


def open_store(tracking_uri: str) -> Any:
    """MLflow's own store behind a tracking URI; it offers reads of many traces at once, as MLflow's client does not."""
    return TracingClient(tracking_uri).store


def is_sql(store: Any) -> bool:
    """Whether a store is a database that we may ask by ourselves."""
    return isinstance(store, SqlAlchemyStore)


@contextmanager
def unlogged_errors() -> Iterator[None]:
    """MLflow logs every error of a database with pages of SQL and traceback, though it also raises it."""
    logger = logging.getLogger("mlflow.store.db.utils")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def trace_heads(
    store: SqlAlchemyStore, experiments: Sequence[str], since_ms: int
) -> Iterator[list[tuple[str, int, str]]]:
    """(trace id, when it began in ms, state) of all traces that began since, in pages, without anything else of them.

    `search_traces` builds the whole description of each trace, which takes a hundred times as long.
    """
    query = (
        sa.select(SqlTraceInfo.request_id, SqlTraceInfo.timestamp_ms, SqlTraceInfo.status)
        .where(SqlTraceInfo.experiment_id.in_([int(one) for one in experiments]), SqlTraceInfo.timestamp_ms >= since_ms)
        .execution_options(yield_per=1000)
    )
    with store.engine.connect() as connection:
        for page in connection.execute(query).partitions(1000):
            yield [(str(row[0]), int(row[1]), str(row[2])) for row in page]


def existing_traces(store: SqlAlchemyStore, trace_ids: Sequence[str]) -> set[str]:
    """Those of the ids that the store has."""
    return _existing(store, SqlTraceInfo.request_id, trace_ids)


def existing_assessments(store: SqlAlchemyStore, assessment_ids: Sequence[str]) -> set[str]:
    """Those of the ids that the store has."""
    return _existing(store, SqlAssessments.assessment_id, assessment_ids)


def _existing(store: SqlAlchemyStore, column: Any, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    with store.engine.connect() as connection:
        for start in range(0, len(ids), _CHUNK):
            found.update(connection.execute(sa.select(column).where(column.in_(ids[start : start + _CHUNK]))).scalars())
    return found
