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

LEFT_ALONE_S = 15.0
"""How long a store that failed is left alone, where there is no other: each try may take as long as the timeout."""
MISSED_RUNS = 10_000
"""How many runs are kept for a store that failed."""

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
    incomplete: bool = False
    """Whether its store has missed something of it."""
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
    ended stay where they are. Where there is no fallback store, a store that failed, such as a database that was locked
    for too long, gets what it has missed when it has been left alone for a while.
    """

    def __init__(self, uri: str, experiment_id: str, open_fallback: Callable[[], tuple[str, str] | None]) -> None:
        """`open_fallback` returns the fallback store's URI and experiment id, or None where there is none."""
        self._store = _Store(uri, experiment_id)
        self._left_alone_until = 0.0
        self._missed: list[RecordedRun] = []
        self._open_fallback: Callable[[], tuple[str, str] | None] | None = open_fallback
        self._lock = threading.Lock()

    def start(self, name: str, parent: RecordedRun | None) -> RecordedRun:
        """Create a run."""
        run = RecordedRun(storable_text(name), parent, int(time.time() * 1000))
        with run.lock:
            self._put_into_store(run)
        self._make_good()
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
        self._make_good()

    def artifact(self, run: RecordedRun, name: str, text: str) -> None:
        """Write a text file."""
        text = storable_text(text)
        with run.lock:
            run.artifacts[name] = text
            self._write(run, lambda store: self._write_artifact(store, run, name, text))
        self._make_good()

    def end(self, run: RecordedRun, status: str) -> None:
        """Write how the run ended."""
        with run.lock:
            run.status = status
            self._write(run, lambda store: store.end(run.run_id, status))
        self._make_good()

    def close(self) -> None:
        """Try once more to write what the store has missed."""
        self._left_alone_until = 0.0
        self._make_good()
        if self._missed:
            logger.warning("%d runs could not be written, or not completely", len(self._missed))

    def _write(self, run: RecordedRun, write: Callable[[_Store], None]) -> None:
        """Write what is already recorded."""
        store = self._store
        if run.store is not store or run.incomplete or self._is_left_alone():
            self._put_into_store(run)
            return
        try:
            write(store)
        except Exception as error:
            if self._is_lost(store, run, error):
                self._put_into_store(run)

    def _is_left_alone(self) -> bool:
        return time.monotonic() < self._left_alone_until

    def _put_into_store(self, run: RecordedRun) -> None:
        """Write the run, with everything that is recorded of it, to the store that is in use, or note it for later."""
        if self._is_left_alone():
            with self._lock:
                if not run.incomplete and len(self._missed) < MISSED_RUNS:
                    self._missed.append(run)
                run.incomplete = True
            return
        store, run.incomplete = self._store, False
        try:
            parent = run.parent
            if parent is not None and parent.store is not store and parent.status is None:
                with parent.lock:
                    self._put_into_store(parent)
            if run.store is not store:
                store.create(run)
            store.log(run.run_id, run.params, run.metrics, run.tags)
            for name, text in run.artifacts.items():
                self._write_artifact(store, run, name, text)
            if run.status is not None:
                store.end(run.run_id, run.status)
        except Exception as error:
            if self._is_lost(store, run, error):
                self._put_into_store(run)

    def _make_good(self) -> None:
        """Write what the store has missed, once it is tried again. No run's lock is held here."""
        if not self._missed or self._is_left_alone():
            return
        with self._lock:
            missed, self._missed = self._missed, []
        for run in missed:
            with run.lock:
                if run.incomplete:
                    run.incomplete = False
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
        """Tell what went wrong; whether the store is given up for it, for now where there is no other."""
        if isinstance(error, MlflowException) and error.error_code in _REFUSALS:
            logger.warning("run %s: %s refused to store something: %s", run.name, store.uri, error)
            return False
        with self._lock:
            if self._store is not store:  # another thread was here before
                return True
            open_fallback, self._open_fallback = self._open_fallback, None
            opened = open_fallback() if open_fallback else None
            if opened is None:
                self._left_alone_until = time.monotonic() + LEFT_ALONE_S
                if not self._missed:
                    logger.warning("runs can't be written to %s now (%s): tried again later", store.uri, error)
            else:
                logger.warning("runs can't be written to %s (%s): they go to %s", store.uri, error, opened[0])
                self._store = _Store(*opened)
        return True


def _storable(texts: Mapping[str, str] | None) -> dict[str, str]:
    return {name: storable_text(text) for name, text in (texts or {}).items()}
