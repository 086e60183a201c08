"""MLflow's SQL store: many traces in one transaction, with the methods that it writes one with."""

import copy
import functools
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from typing import Any

from mlflow.exceptions import BAD_REQUEST, MlflowException
from mlflow.store.tracking import sqlalchemy_store
from mlflow.store.tracking.dbmodels.models import SqlSpan, SqlTraceInfo, SqlTraceMetadata, SqlTraceMetrics
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing.constant import TokenUsageKey, TraceMetadataKey

from tracegauge.tracking.compat.store_client import SIZE_KEY


def is_sql_store(store: Any) -> bool:
    """Whether this process writes to a database itself."""
    return isinstance(store, SqlAlchemyStore)


def forget_connections() -> None:
    """After a fork: leave the database connections to the parent, and open new ones where they are needed."""
    for engine in list(SqlAlchemyStore._engine_map.values()):
        engine.dispose(close=False)


@contextmanager
def one_transaction(store: Any) -> Iterator[Any]:
    """A store whose methods all write into one transaction, which is committed at the end.

    MLflow's methods roll back, and try another way, when a row is there already. That would undo what earlier methods
    have written, so it ends the transaction here.

    Raises:
        MlflowException: the transaction was rolled back.
    """
    with _write_session(store) as session:

        @contextmanager
        def session_of_all(**_: object) -> Iterator[Any]:
            yield session

        private = copy.copy(store)
        private.ManagedSessionMaker = session_of_all
        private.get_experiment = functools.cache(private.get_experiment)
        session.rollback = _end_transaction
        try:
            yield private
        finally:
            del session.rollback


def _end_transaction() -> None:
    raise MlflowException("a statement of the batch failed", error_code=BAD_REQUEST)


def _write_session(store: Any) -> AbstractContextManager[Any]:
    """A session of the store that is committed at the end. MLflow 3.13 and later must be told that it writes."""
    maker = store.ManagedSessionMaker
    arguments = {"read_only": False} if "read_only" in inspect.signature(maker).parameters else {}
    session: AbstractContextManager[Any] = maker(**arguments)
    return session


def stored_trace_ids(store: Any, trace_ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """Those of these traces that the store has in any form, and those that it has whole.

    A trace's size is recorded when it is begun, which comes after its spans, or in one transaction with them.
    """
    with store.ManagedSessionMaker() as session:
        begun = session.query(SqlTraceInfo.request_id).filter(SqlTraceInfo.request_id.in_(trace_ids))
        whole = session.query(SqlTraceMetadata.request_id).filter(
            SqlTraceMetadata.request_id.in_(trace_ids), SqlTraceMetadata.key == SIZE_KEY
        )
        return {row[0] for row in begun}, {row[0] for row in whole}


def log_spans_of_new_traces(store: Any, parcels: Sequence[Any]) -> None:
    """Write the spans of traces that were begun in the same transaction, and leave the traces as they were begun.

    MLflow means a trace to be begun after its spans were written: what it derives from spans then counts for less than
    what the trace itself says. In this order a duration would be rounded differently, and until about 3.12 the tokens
    of the spans would be added to those of the trace. From then on it also takes spans of many traces at once.
    """
    with store.ManagedSessionMaker() as session:
        if hasattr(sqlalchemy_store, "_bulk_upsert"):
            for experiment_id, group in groupby(sorted(parcels, key=_experiment_id), key=_experiment_id):
                store.log_spans(experiment_id, [span for parcel in group for span in parcel.spans])
        else:
            _log_spans_one_by_one(store, session, parcels)
        session.bulk_update_mappings(SqlTraceInfo, [_times(parcel.info) for parcel in parcels])


def _log_spans_one_by_one(store: Any, session: Any, parcels: Sequence[Any]) -> None:
    merge = session.merge
    # Spans of new traces can't be there yet: no need to look for each.
    session.merge = lambda row: session.add(row) if isinstance(row, SqlSpan) else merge(row)
    try:
        for parcel in parcels:
            store.log_spans(parcel.experiment_id, list(parcel.spans))
            _set_token_totals(session, parcel.info)
    finally:
        del session.merge


def _times(info: Any) -> dict[str, Any]:
    return {
        "request_id": info.trace_id,
        "timestamp_ms": info.request_time,
        "execution_time_ms": info.execution_duration,
    }


def _experiment_id(parcel: Any) -> str:
    return str(parcel.experiment_id)


def _set_token_totals(session: Any, info: Any) -> None:
    """Store the token totals that the trace itself has, as `start_trace` of these versions does."""
    usage = info.trace_metadata.get(TraceMetadataKey.TOKEN_USAGE)
    if usage is None:
        return
    session.merge(SqlTraceMetadata(request_id=info.trace_id, key=TraceMetadataKey.TOKEN_USAGE, value=usage))
    for key, value in json.loads(usage).items():
        if key in TokenUsageKey.all_keys() and value is not None:
            session.merge(SqlTraceMetrics(request_id=info.trace_id, key=key, value=float(value)))
