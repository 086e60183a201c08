"""The store that takes what the tracking URI can't."""

import threading
from collections.abc import Sequence
from contextlib import suppress

from mlflow.tracing.client import TracingClient

from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.store_writer import Outcome, StoreWriter
from tracegauge.tracking.delivery.writers import open_writer
from tracegauge.tracking.experiments import find_or_create
from tracegauge.tracking.server_check import without_password


class ExperimentNames:
    """Names of a store's experiments, asked for while it can be reached."""

    def __init__(self, tracking_uri: str) -> None:
        self._tracking_uri = tracking_uri
        self._names: dict[str, str] = {}

    def learn(self, parcels: Sequence[Parcel]) -> None:
        """Ask for the names of the parcels' experiments that are not known yet."""
        for experiment_id in {parcel.experiment_id for parcel in parcels} - self._names.keys():
            with suppress(Exception):  # the store has just gone away, or the experiment never was
                store = TracingClient(self._tracking_uri).store
                self._names[experiment_id] = store.get_experiment(experiment_id).name

    def get(self, experiment_id: str) -> str:
        """The name, or one made of the id where the store never told it."""
        return self._names.get(experiment_id, f"experiment {experiment_id}")


class Fallback:
    """Writes to the fallback store, into experiments of the same names, which are created where they are missing."""

    def __init__(self, fallback_uri: str, names: ExperimentNames) -> None:
        self.uri = fallback_uri
        self._names = names
        self._writer: StoreWriter | None = None
        self._experiment_ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return without_password(self.uri)

    def write(self, parcels: Sequence[Parcel]) -> Outcome:
        """Write them all, as far as the store takes them. The outcome names the parcels as they were given."""
        with self._lock:  # a local store, to which one thread at a time may write
            try:
                self._writer = self._writer or open_writer(self.uri)
                readdressed = [parcel.readdressed(self._experiment_id(parcel.experiment_id)) for parcel in parcels]
                outcome = self._writer.write(readdressed)
            except Exception as error:
                return Outcome(unsent=list(parcels), error=error)
        given = dict(zip(map(id, readdressed), parcels, strict=True))
        return Outcome(
            unsent=[given[id(parcel)] for parcel in outcome.unsent],
            refused=[given[id(parcel)] for parcel in outcome.refused],
            error=outcome.error,
        )

    def _experiment_id(self, original_id: str) -> str:
        if original_id not in self._experiment_ids:
            self._experiment_ids[original_id] = find_or_create(self.uri, self._names.get(original_id))
        return self._experiment_ids[original_id]
