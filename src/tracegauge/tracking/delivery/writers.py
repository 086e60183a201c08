"""The right writer for a store."""

from mlflow.tracing.client import TracingClient

from tracegauge.tracking.delivery import compat
from tracegauge.tracking.delivery.sql_writer import SqlWriter
from tracegauge.tracking.delivery.store_writer import ClientWriter, StoreWriter


def open_writer(tracking_uri: str) -> StoreWriter:
    """A writer for this store, which is created where it does not exist yet.

    Raises:
        Exception: whatever MLflow raises where the store can't be opened.
    """
    sql = compat.is_sql_store(TracingClient(tracking_uri).store)
    return SqlWriter(tracking_uri) if sql else ClientWriter(tracking_uri)
