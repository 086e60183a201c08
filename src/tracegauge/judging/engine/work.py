"""Whole runs, watches and statuses of a store, as the command line and programs start them."""

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException

from tracegauge.config.durations import duration_s, is_duration
from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.engine.compat import unlogged_errors
from tracegauge.judging.engine.engine import EVERYTHING, JudgeRun, Selection, run_judges, watch_judges
from tracegauge.judging.engine.estimate import Estimate, estimate
from tracegauge.judging.engine.ledger import Ledger
from tracegauge.judging.engine.ledger_file import ledger_path
from tracegauge.judging.engine.settings import FOR_A_RUN, FOR_A_WATCH, EngineSettings
from tracegauge.judging.engine.status import judges_report
from tracegauge.judging.engine.tally import OnProgress
from tracegauge.judging.engine.trace_store import TraceStore, first_line
from tracegauge.judging.judge_records import RECORDS_FOLDER
from tracegauge.judging.store_check import usable_store
from tracegauge.results.judges_report import JudgesReport
from tracegauge.tracking.compat import tracking_uri
from tracegauge.tracking.server_check import without_password


class JudgingStoppedError(RuntimeError):
    """The ledger can't be written, so nothing can be promised of what is judged; the message is for people."""


class Work:
    """Judges and the store that they work on."""

    def __init__(
        self,
        specs: Mapping[str, JudgeSpec],
        uri: str | None = None,
        experiments: Sequence[str] = (),
        only: Sequence[str] = (),
        ledger: Path | None = None,
    ) -> None:
        """`uri` is MLflow's by default, `only` names the judges that are meant.

        Raises ConfigError for a store that can't be opened, an unknown experiment and an unknown judge.
        """
        for name in only:
            if name not in specs:
                raise ConfigError(f"there is no judge {name!r} among the files", hint=nearest(name, specs))
        self.specs = specs
        self.names = list(only or specs)
        self.uri = usable_store(uri)
        self.ledger = ledger or ledger_path(self.uri, experiments)
        self.store = TraceStore(self.uri, experiments)

    def run(
        self,
        selection: Selection = EVERYTHING,
        settings: EngineSettings = FOR_A_RUN,
        on_progress: OnProgress | None = None,
    ) -> list[JudgeRun]:
        """See `run_judges`; a judge whose filter MLflow does not understand is left out too, and says so."""
        usable, faulty = self._usable(selection)
        with self._open() as ledger:
            done = asyncio.run(run_judges(self.specs, usable, self.store, ledger, selection, settings, on_progress))
        return [*done, *(JudgeRun(name, error=error) for name, error in faulty.items())]

    def watch(
        self,
        selection: Selection = EVERYTHING,
        on_trouble: Callable[[str, str], None] = lambda _judge, _message: None,
        settings: EngineSettings = FOR_A_WATCH,
    ) -> None:
        """See `watch_judges`: until SIGINT or SIGTERM, which let what has been judged be written first."""
        usable, faulty = self._usable(selection)
        for name, error in faulty.items():
            on_trouble(name, error)
        with self._open() as ledger, contextlib.suppress(asyncio.CancelledError):
            asyncio.run(
                _until_told(watch_judges(self.specs, usable, self.store, ledger, selection, settings, on_trouble))
            )

    def estimate(self, selection: Selection = EVERYTHING) -> list[Estimate]:
        """See `estimate`."""
        usable, faulty = self._usable(selection)
        with tracking_uri(self.uri):
            found = asyncio.run(estimate(self.specs, usable, self.store, self.ledger, selection))
        return [*found, *(Estimate.impossible(name, error) for name, error in faulty.items())]

    def status(self, records_folder: Path = RECORDS_FOLDER) -> JudgesReport:
        """Where the judges stand. Raises ConfigError for a damaged calibration or ledger."""
        specs = {name: self.specs[name] for name in self.names}
        experiments = dict(zip(self.store.experiments, self.store.experiment_ids, strict=True))
        try:
            return judges_report(self.ledger, specs, without_password(self.uri), experiments, records_folder)
        except sqlite3.Error as error:
            raise ConfigError(f"{self.ledger} can't be read: {error}", hint="it is made again by a run") from error

    def _usable(self, selection: Selection) -> tuple[list[str], dict[str, str]]:
        if selection.filter and (fault := self._filter_fault(selection.filter)):
            raise ConfigError(f"MLflow does not understand --filter {selection.filter!r}: {fault}")
        faulty: dict[str, str] = {}
        for name in self.names:
            own = self.specs[name].sampling.filter
            fault = self._filter_fault(own) if own else None
            if fault:
                faulty[name] = f"MLflow does not understand its filter {own!r}: {fault}"
        return [name for name in self.names if name not in faulty], faulty

    def _filter_fault(self, filter_string: str) -> str | None:
        try:
            return self.store.check_filter(filter_string)
        except MlflowException as error:  # locked, or not to be reached any more
            raise ConfigError(f"{without_password(self.uri)} can't be searched: {first_line(error)}") from error

    @contextmanager
    def _open(self) -> Iterator[Ledger]:
        try:
            with tracking_uri(self.uri), unlogged_errors(), Ledger(self.ledger) as ledger:
                yield ledger
        except (sqlite3.Error, OSError) as error:
            raise JudgingStoppedError(
                f"the ledger {self.ledger} can't be written ({first_line(error)}); what was judged is kept, and the "
                "next run goes on from there"
            ) from error


async def _until_told(watching: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(watching)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await task


def since_ms(text: str | None) -> int:
    """`2h` ago, or an ISO 8601 time (UTC where it has no zone), in milliseconds since 1970; 0 for None.

    Raises ConfigError for anything else.
    """
    if text is None:
        return 0
    now = datetime.now(UTC)
    if is_duration(text):
        return int((now.timestamp() - duration_s(text)) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--since {text!r} is no time", hint="write a duration such as 2h or 7d, or a time: 2026-01-31T08:00"
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
