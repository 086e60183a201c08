"""The right writer for a store."""

from mlflow.tracing.client import TracingClient

from tracegauge.tracking.compat.sql_store import is_sql_store
from tracegauge.tracking.delivery.sql_writer import SqlWriter
from tracegauge.tracking.delivery.store_writer import ClientWriter, StoreWriter


def open_writer(tracking_uri: str) -> StoreWriter:
    """A writer for this store, which is created where it does not exist yet.

    Raises:
        Exception: whatever MLflow raises where the store can't be opened.
    """
    sql = is_sql_store(TracingClient(tracking_uri).store)
    return SqlWriter(tracking_uri) if sql else ClientWriter(tracking_uri)
