"""Many traces in one transaction of MLflow's own SQL store."""

import logging
from collections.abc import Sequence

from tracegauge.tracking.compat.sql_store import log_spans_of_new_traces, one_transaction, stored_trace_ids
from tracegauge.tracking.compat.store_client import add_size_metadata
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.store_writer import ClientWriter, Outcome

logger = logging.getLogger("tracegauge.tracking")


class SqlWriter(ClientWriter):
    """Writes a batch with the methods that MLflow's store itself writes with, but in one transaction.

    So the rows are MLflow's, whatever its version makes them; what is saved is what MLflow spends per span and per
    trace on transactions, on reading back what was written before, and on merging one with the other. For the same
    reason a trace is begun (`start_trace`) before its spans are written: nothing is there yet that it would have to be
    merged with. Where something is (another process has added spans), or where the batch fails, traces are written one
    at a time, as MLflow does it. A trace that is there as a whole is not written again.
    """

    def write(self, parcels: Sequence[Parcel]) -> Outcome:
        """Write what is new in one transaction, the rest one by one."""
        try:
            begun, whole = stored_trace_ids(self._client.store, [parcel.trace_id for parcel in parcels])
            missing = [p for p in parcels if p.info is None or p.trace_id not in whole]
            batch = [p for p in missing if _is_new(p, begun)]
            self._write_batch(batch)
        except Exception as error:
            if self.is_transient(error):
                return Outcome(unsent=list(parcels), error=error)
            logger.debug("a batch of %d traces is written one by one after %s", len(parcels), error, exc_info=True)
            return super().write(parcels)
        written = set(map(id, batch))
        return super().write([parcel for parcel in missing if id(parcel) not in written])

    def write_one(self, parcel: Parcel) -> None:
        """Write one parcel; of a new trace that is refused nothing stays in the store."""
        begun, _ = stored_trace_ids(self._client.store, [parcel.trace_id])
        if _is_new(parcel, begun):
            self._write_batch([parcel])
        else:
            super().write_one(parcel)

    def _write_batch(self, parcels: Sequence[Parcel]) -> None:
        if not parcels:
            return
        for parcel in parcels:
            add_size_metadata(parcel.info, parcel.spans)
        with one_transaction(self._client.store) as store:
            for parcel in parcels:
                store.start_trace(parcel.info)
            log_spans_of_new_traces(store, parcels)
        for parcel in parcels:
            self.write_extras(parcel)


def _is_new(parcel: Parcel, begun: set[str]) -> bool:
    return parcel.info is not None and parcel.workspace is None and parcel.trace_id not in begun
