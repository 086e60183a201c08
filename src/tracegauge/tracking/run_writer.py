"""Writes runs to the store in use, and to the fallback store once that one fails. Nothing here raises."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracegauge.tracking.causes import is_unreachable
from tracegauge.tracking.compat.fluent_runs import context_tags
from tracegauge.tracking.storable import storable_text

logger = logging.getLogger("tracegauge.tracking")

# The store answers, but not with yes: another store would refuse this too.
_REFUSALS = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE")


@dataclass
class RecordedRun:
    """A run, and everything that was written to it: what another store needs to have it whole."""

    name: str
    parent: "RecordedRun | None"
    started_ms: int
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    active_run: Any = None
    """MLflow's ActiveRun in the store that has it; None where no store has."""
    store: "_Store | None" = None

    @property
    def run_id(self) -> str:
        """Its id in the store that has it."""
        return str(self.active_run.info.run_id)


class _Store:
    """One store that runs are written to."""

    def __init__(self, uri: str, experiment_id: str) -> None:
        self.uri = uri
        self.client = mlflow.MlflowClient(uri)
        self.experiment_id = experiment_id

    def create(self, run: RecordedRun) -> None:
        tags = context_tags(run.name)
        if run.parent is not None and run.parent.active_run is not None:
            tags[MLFLOW_PARENT_RUN_ID] = run.parent.run_id
        created = self.client.create_run(self.experiment_id, run.started_ms, tags, run.name)
        run.active_run, run.store = mlflow.ActiveRun(created), self

    def log(
        self, run_id: str, params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str]
    ) -> None:
        now_ms = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(key, value, now_ms, 0) for key, value in metrics.items()],
            params=[Param(key, value) for key, value in params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )

    def artifact(self, run_id: str, name: str, text: str) -> None:
        self.client.log_text(run_id, text, name)

    def end(self, run_id: str, status: str) -> None:
        self.client.set_terminated(run_id, status)


class RunWriter:
    """Writes through to the store, and keeps what it writes until the run has ended.

    When the store fails, an open run is written again, whole, to the fallback store at its next write; runs that have
    ended stay where they are. A store that failed is not tried again: each try may take as long as the timeout.
    """

    def __init__(self, uri: str, experiment_id: str, open_fallback: Callable[[], tuple[str, str] | None]) -> None:
        """`open_fallback` returns the fallback store's URI and experiment id, or None where there is none."""
        self._store: _Store | None = _Store(uri, experiment_id)
        self._open_fallback: Callable[[], tuple[str, str] | None] | None = open_fallback
        self._lock = threading.Lock()

    def start(self, name: str, parent: RecordedRun | None) -> RecordedRun:
        """Create a run."""
        run = RecordedRun(storable_text(name), parent, int(time.time() * 1000))
        with run.lock:
            self._put_into_store(run)
        return run

    def log(
        self,
        run: RecordedRun,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Write params, metrics and tags in one go."""
        metrics, params, tags = metrics or {}, _storable(params), _storable(tags)
        with run.lock:
            run.params.update(params)
            run.metrics.update(metrics)
            run.tags.update(tags)
            self._write(run, lambda store: store.log(run.run_id, params, metrics, tags))

    def artifact(self, run: RecordedRun, name: str, text: str) -> None:
        """Write a text file."""
        text = storable_text(text)
        with run.lock:
            run.artifacts[name] = text
            self._write(run, lambda store: self._write_artifact(store, run, name, text))

    def end(self, run: RecordedRun, status: str) -> None:
        """Write how the run ended."""
        with run.lock:
            run.status = status
            self._write(run, lambda store: store.end(run.run_id, status))

    def _write(self, run: RecordedRun, write: Callable[[_Store], None]) -> None:
        """Write what is already recorded."""
        store = run.store
        if store is None or store is not self._store:
            self._put_into_store(run)
            return
        try:
            write(store)
        except Exception as error:
            if self._is_lost(store, run, error):
                self._put_into_store(run)

    def _put_into_store(self, run: RecordedRun) -> None:
        """Create the run, with everything that is recorded of it, in the store that is in use."""
        store = self._store
        if store is None:
            return
        try:
            parent = run.parent
            if parent is not None and parent.store is not store and parent.status is None:
                with parent.lock:
                    self._put_into_store(parent)
            store.create(run)
            store.log(run.run_id, run.params, run.metrics, run.tags)
            for name, text in run.artifacts.items():
                self._write_artifact(store, run, name, text)
            if run.status is not None:
                store.end(run.run_id, run.status)
        except Exception as error:
            if self._is_lost(store, run, error) and self._store is not None:
                self._put_into_store(run)

    def _write_artifact(self, store: _Store, run: RecordedRun, name: str, text: str) -> None:
        """Artifacts may lie elsewhere than runs: that they can't be written is no reason to give up the store."""
        try:
            store.artifact(run.run_id, name, text)
        except Exception as error:
            if is_unreachable(error):
                raise
            logger.warning("run %s: its artifact %s can't be stored: %s", run.name, name, error)

    def _is_lost(self, store: _Store, run: RecordedRun, error: Exception) -> bool:
        """Tell what went wrong; whether the store is given up for it."""
        if isinstance(error, MlflowException) and error.error_code in _REFUSALS:
            logger.warning("run %s: %s refused to store something: %s", run.name, store.uri, error)
            return False
        with self._lock:
            if self._store is not store:  # another thread was here before
                return True
            self._store = None
            open_fallback, self._open_fallback = self._open_fallback, None
            opened = open_fallback() if open_fallback else None
            if opened is None:
                logger.warning("runs can't be written to %s (%s): they are lost", store.uri, error)
            else:
                logger.warning("runs can't be written to %s (%s): they go to %s", store.uri, error, opened[0])
                self._store = _Store(*opened)
        return True


def _storable(texts: Mapping[str, str] | None) -> dict[str, str]:
    return {name: storable_text(text) for name, text in (texts or {}).items()}
