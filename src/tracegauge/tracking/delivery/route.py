"""Where a batch goes: to the store of the tracking URI, or to the fallback store."""

import threading
import time
from collections.abc import Sequence

from tracegauge.tracking.delivery.fallback import ExperimentNames, Fallback
from tracegauge.tracking.delivery.fork_guard import not_while_forking
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.store_writer import Outcome, StoreWriter, is_server
from tracegauge.tracking.delivery.tally import Tally
from tracegauge.tracking.delivery.writers import open_writer
from tracegauge.tracking.server_check import without_password

SERVER_PAUSES_S = (0.5, 1.0)
"""Pauses between attempts to reach a server, before what it should have got goes to the fallback store."""
SERVER_PROBE_S = 15.0
"""How long a server that could not be reached is left alone."""


class Route:
    """Sends batches, from any thread.

    What a server can't be sent goes to the fallback store. A local store is waited for instead: it is locked or full,
    and somebody will unlock it or make room. What either of them refuses for good goes to the fallback store too.
    """

    def __init__(self, tracking_uri: str, fallback_uri: str, tally: Tally, stopping: threading.Event) -> None:
        self._tracking_uri = tracking_uri
        self._is_server = is_server(tracking_uri)
        self._shown_uri = without_password(tracking_uri)
        self._tally = tally
        self._stopping = stopping
        self._names = ExperimentNames(tracking_uri)
        self._fallback = Fallback(fallback_uri, self._names) if fallback_uri != tracking_uri else None
        self._writer: StoreWriter | None = None
        self._opening = threading.Lock()
        self._leave_alone_until = 0.0
        self._last_error: Exception | None = None

    def open(self) -> StoreWriter:
        """The writer for the tracking URI.

        Raises:
            Exception: whatever MLflow raises where the store can't be opened.
        """
        with self._opening:
            self._writer = self._writer or open_writer(self._tracking_uri)
            return self._writer

    def send(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Bring them to a store. Returns those that no store takes now. Never raises."""
        outcome = self._send_to_server(parcels) if self._is_server else self._write_locally(parcels)
        if self._fallback is None:
            if outcome.refused:
                self._tally.drop(len(outcome.refused), self._refusal(outcome))
            return outcome.unsent
        rest = self._divert(outcome.refused, self._refusal(outcome))
        if not self._is_server:
            return [*rest, *outcome.unsent]
        reason = f"{self._shown_uri} can't be reached ({outcome.error}); its traces go to {self._fallback}"
        return [*rest, *self._divert(outcome.unsent, reason)]

    def _refusal(self, outcome: Outcome) -> str:
        ids = ", ".join(parcel.trace_id for parcel in outcome.refused[:3])
        return f"{self._shown_uri} refuses traces, the first of them {ids}: {outcome.error}"

    def _write_locally(self, parcels: Sequence[Parcel]) -> Outcome:
        with not_while_forking:
            return self._attempt(parcels)

    def _attempt(self, parcels: Sequence[Parcel]) -> Outcome:
        try:
            writer = self.open()
        except Exception as error:
            return Outcome(unsent=list(parcels), error=error)
        try:
            outcome = writer.write(parcels)
        except Exception as error:
            return Outcome(refused=list(parcels), error=error)
        if len(outcome.unsent) < len(parcels):
            self._names.learn(parcels)
        return outcome

    def _send_to_server(self, parcels: Sequence[Parcel]) -> Outcome:
        if time.monotonic() < self._leave_alone_until:
            return Outcome(unsent=list(parcels), error=self._last_error)
        result = Outcome(unsent=list(parcels))
        for pause_s in (*SERVER_PAUSES_S, None):
            attempt = self._attempt(result.unsent)
            result = Outcome(attempt.unsent, [*result.refused, *attempt.refused], attempt.error or result.error)
            if not result.unsent or pause_s is None or self._stopping.wait(pause_s):
                break
        if result.unsent:
            self._leave_alone_until = time.monotonic() + SERVER_PROBE_S
            self._last_error = result.error
        return result

    def _divert(self, parcels: Sequence[Parcel], reason: str) -> list[Parcel]:
        """Write them to the fallback store; returns those that it can't take now."""
        if not parcels or self._fallback is None:
            return list(parcels)
        with not_while_forking:
            outcome = self._fallback.write(parcels)
        if outcome.refused:
            self._tally.drop(len(outcome.refused), f"{self._fallback} refuses traces: {outcome.error}")
        stored = len(parcels) - len(outcome.unsent) - len(outcome.refused)
        if stored:
            self._tally.divert(stored, reason)
        return outcome.unsent
