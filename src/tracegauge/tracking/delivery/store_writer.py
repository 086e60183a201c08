"""Parcels into an MLflow store, whatever kind it is."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlflow.exceptions import MlflowException
from mlflow.tracing.client import TracingClient

from tracegauge.tracking.compat.store_client import (
    add_size_metadata,
    has_spans_in_store,
    in_workspace,
    link_prompts,
    log_spans,
    upload_attachments,
    upload_spans,
)
from tracegauge.tracking.delivery.parcel import Parcel

logger = logging.getLogger("tracegauge.tracking")

LOCAL_BATCH = 50
SERVER_BATCH = 10
SERVER_THREADS = 4
"""Requests that are under way to a server at a time: it answers some while others are on their way."""

TRANSIENT_STATUS = frozenset({401, 403, 408, 429, *range(500, 600)})
"""Answers of a server, or of something before it, after which it may still take the same request later."""


@dataclass
class Outcome:
    """What became of parcels that were to be written. Those in neither list are stored."""

    unsent: list[Parcel] = field(default_factory=list)
    """The store can't take them now."""
    refused: list[Parcel] = field(default_factory=list)
    """The store will not take them, whenever they come."""
    error: Exception | None = None
    """The last one."""


class StoreWriter(ABC):
    """Writes parcels. What is written a second time is the same as if it had been written once."""

    is_server: bool = False
    threads: int = 1
    """How many threads may write at a time, and gain by it."""
    batch: int
    """How many parcels to write in one call."""

    @abstractmethod
    def write(self, parcels: Sequence[Parcel]) -> Outcome:
        """Write them all, as far as the store takes them. Raises nothing that concerns a parcel or the store."""


class ClientWriter(StoreWriter):
    """Writes trace by trace through MLflow's tracing client: file stores and servers."""

    def __init__(self, tracking_uri: str) -> None:
        self._client = TracingClient(tracking_uri)
        self.is_server = is_server(tracking_uri)
        self.threads = SERVER_THREADS if self.is_server else 1
        self.batch = SERVER_BATCH if self.is_server else LOCAL_BATCH

    def write(self, parcels: Sequence[Parcel]) -> Outcome:
        """Write one after the other; the rest is not tried where the store can't be reached."""
        outcome = Outcome()
        for parcel in parcels:
            if outcome.unsent:
                outcome.unsent.append(parcel)
                continue
            try:
                self.write_one(parcel)
            except Exception as error:
                if self.is_transient(error):
                    outcome.unsent.append(parcel)
                elif self._write_storable(parcel):
                    continue
                else:
                    outcome.refused.append(parcel)
                outcome.error = error
        return outcome

    def _write_storable(self, parcel: Parcel) -> bool:
        """Write a refused parcel without the characters for which databases refuse; whether that was it."""
        try:
            storable = parcel.storable()
            if storable is not None:
                self.write_one(storable)
        except Exception:
            return False
        return storable is not None

    def write_one(self, parcel: Parcel) -> None:
        """Write one parcel, in the order of MLflow's exporter: spans, trace, data, attachments, prompts.

        Raises:
            Exception: whatever MLflow, or what it uses, raises.
        """
        with in_workspace(parcel.workspace):
            try:
                log_spans(self._client, parcel.experiment_id, parcel.spans)
            except NotImplementedError:
                if parcel.info is None:
                    raise
            if parcel.info is None:
                return
            add_size_metadata(parcel.info, parcel.spans)
            stored = self._client.start_trace(parcel.info)
            if not has_spans_in_store(stored):
                upload_spans(self._client, stored, parcel.spans)
            self.write_extras(parcel)

    def write_extras(self, parcel: Parcel) -> None:
        """Attachments, and links to prompts, of a trace that is stored. Without them it is still whole: no error."""
        if parcel.info is None:
            return
        try:
            upload_attachments(self._client, parcel.info, parcel.spans)
            link_prompts(self._client, parcel.trace_id, parcel.prompts)
        except Exception as error:
            logger.warning("trace %s is stored without its attachments or prompts: %s", parcel.trace_id, error)

    def is_transient(self, error: Exception) -> bool:
        """Whether the same write may succeed later: the store can't be reached, is locked, full or overloaded."""
        if isinstance(error, MlflowException):
            status = error.get_http_status_code()
            return status in TRANSIENT_STATUS if self.is_server else error.error_code == "TEMPORARILY_UNAVAILABLE"
        return isinstance(error, OSError)  # as all exceptions of `requests` are


def is_server(tracking_uri: str) -> bool:
    """Whether an HTTP server stands behind the URI."""
    return tracking_uri.startswith(("http://", "https://"))
