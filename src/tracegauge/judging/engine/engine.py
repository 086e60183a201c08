"""Runs judges over a store: once over everything that is due, or for as long as new traces come."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.build import build_judges
from tracegauge.judging.engine.finder import Finder
from tracegauge.judging.engine.ledger import Ledger
from tracegauge.judging.engine.ledger_file import only_writer
from tracegauge.judging.engine.limiter import Endpoint
from tracegauge.judging.engine.line import Line
from tracegauge.judging.engine.reader import StoreTroubleError
from tracegauge.judging.engine.settings import FOR_A_RUN, FOR_A_WATCH, EngineSettings
from tracegauge.judging.engine.tally import OnProgress, Tally
from tracegauge.judging.engine.trace_store import TraceStore, first_line, is_trouble
from tracegauge.judging.engine.writer import Writer, now_ms
from tracegauge.judging.judge import Judge

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Selection:
    """Which of the traces that judges are to see are taken now."""

    since_ms: int = 0
    """Only traces that began since."""
    filter: str | None = None
    """An MLflow trace filter, beside the one of the judge."""
    limit: int | None = None
    """So many traces for each judge."""

    @property
    def narrows(self) -> bool:
        """Whether less is taken than everything that is due."""
        return bool(self.since_ms or self.filter)


EVERYTHING = Selection()


@dataclass(frozen=True)
class JudgeRun:
    """What a run did for one judge."""

    judge: str
    counts: Counter[str] = field(default_factory=Counter)
    """Traces by state."""
    error: str | None = None
    """Why the judge could not work, or not to the end; None if it could."""


@dataclass
class _Shared:
    store: TraceStore
    ledger: Ledger
    writer: Writer
    settings: EngineSettings
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    def endpoint(self, judge: Judge) -> Endpoint:
        """One for all judges that ask the same address; code has its own."""
        if judge.endpoint is None:
            return Endpoint(self.settings.code_concurrency)
        return self.endpoints.setdefault(judge.endpoint, Endpoint(self.settings.concurrency))


async def run_judges(
    specs: Mapping[str, JudgeSpec],
    names: Iterable[str],
    store: TraceStore,
    ledger: Ledger,
    selection: Selection = EVERYTHING,
    settings: EngineSettings = FOR_A_RUN,
    on_progress: OnProgress | None = None,
) -> list[JudgeRun]:
    """Score everything that is due, what failed or was skipped before included.

    `names` are the judges that run; `specs` holds them and the members of panels. A judge that can't work is left out
    and says why. Raises ConfigError for another engine at work on the ledger, sqlite3.Error where the ledger can't be
    written.
    """
    with only_writer(ledger.path):
        async with _started(specs, names, store, ledger, settings) as (judges, faults, shared):
            tally = Tally(on_progress) if on_progress else None
            done = await _all_of([_run_one(judge, shared, selection, tally) for judge in judges], shared)
    return [*done, *(JudgeRun(name, error=fault) for name, fault in faults.items())]


async def watch_judges(
    specs: Mapping[str, JudgeSpec],
    names: Iterable[str],
    store: TraceStore,
    ledger: Ledger,
    selection: Selection = EVERYTHING,
    settings: EngineSettings = FOR_A_WATCH,
    on_trouble: Callable[[str, str], None] = lambda _judge, _message: None,
) -> None:
    """Score what is due, then what comes, until cancelled. Raises like `run_judges`, and ConfigError for no judge.

    `on_trouble` is told the judge and the message where it can't work, and where the store could not be searched or
    read, which is tried again.
    """
    with only_writer(ledger.path):
        async with _started(specs, names, store, ledger, settings) as (judges, faults, shared):
            for name, fault in faults.items():
                on_trouble(name, fault)
            if not judges:
                raise ConfigError("there is no judge left that could work", hint="mend what is said above")
            await _all_of([_watch_one(judge, shared, selection, on_trouble) for judge in judges], shared)


@asynccontextmanager
async def _started(
    specs: Mapping[str, JudgeSpec],
    names: Iterable[str],
    store: TraceStore,
    ledger: Ledger,
    settings: EngineSettings,
) -> AsyncIterator[tuple[list[Judge], dict[str, str], _Shared]]:
    """The judges that can work, and why the others can't."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=4 * settings.concurrency)
    async with httpx.AsyncClient(limits=limits) as http:
        judges, faults = build_judges(specs, names, http)
        try:
            yield judges, faults, _Shared(store, ledger, Writer(store, ledger, settings), settings)
        finally:
            for judge in judges:
                await judge.aclose()


async def _all_of(lines: Iterable[Coroutine[Any, Any, _Result]], shared: _Shared) -> list[_Result]:
    """Wait for all; when one raises (the ledger can't be written), or on Ctrl-C, the others stop too."""
    writing = asyncio.create_task(shared.writer.work())
    working = [asyncio.create_task(line) for line in lines]
    try:
        pending: set[asyncio.Task[Any]] = {writing, *working}
        while not all(task.done() for task in working):
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        return [task.result() for task in working]
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _run_one(judge: Judge, shared: _Shared, selection: Selection, tally: Tally | None) -> JudgeRun:
    began_ms = now_ms()
    finder = Finder(judge, shared.store, selection.filter, selection.since_ms, shared.settings.session_quiet_s)
    error: str | None = None
    try:
        await _find(finder, judge, shared, 0, choose=selection.narrows)
    except Exception as problem:
        if not is_trouble(problem):
            raise
        error = f"traces can't be searched: {first_line(problem)}"
        if selection.narrows:
            return JudgeRun(judge.name, error=error)
    if tally:
        due = shared.ledger.count_due(judge.digest, now_ms(), again_before_ms=began_ms, chosen_only=selection.narrows)
        tally.expect(due if selection.limit is None else min(due, selection.limit))
    line = Line(
        judge,
        shared.store,
        shared.ledger,
        shared.writer,
        shared.endpoint(judge),
        shared.settings,
        again_before_ms=began_ms,
        chosen_only=selection.narrows,
        limit=selection.limit,
        on_settled=tally.settle if tally else lambda: None,
    )
    try:
        await line.drain()
    except StoreTroubleError as problem:
        error = error or str(problem)
    return JudgeRun(judge.name, Counter(shared.ledger.counts_since(judge.digest, began_ms)), error)


async def _watch_one(
    judge: Judge, shared: _Shared, selection: Selection, on_trouble: Callable[[str, str], None]
) -> None:
    settings = shared.settings
    finder = Finder(judge, shared.store, selection.filter, selection.since_ms, settings.session_quiet_s)
    line = Line(
        judge,
        shared.store,
        shared.ledger,
        shared.writer,
        shared.endpoint(judge),
        settings,
        chosen_only=selection.narrows,
        newest_first=True,
    )
    draining: asyncio.Task[None] | None = None
    full_scan_at = 0.0
    try:
        while True:
            began = time.monotonic()
            full = began >= full_scan_at
            since_ms = 0 if full else now_ms() - int(settings.overlap_s * 1000)
            try:
                await _find(finder, judge, shared, since_ms, choose=selection.narrows)
            except Exception as error:
                if not is_trouble(error):
                    raise
                on_trouble(judge.name, f"traces can't be searched: {first_line(error)}")
            if full:
                took = time.monotonic() - began
                full_scan_at = time.monotonic() + max(settings.poll_s, took / settings.full_scan_share)
            if draining is not None and draining.done():
                try:
                    draining.result()
                except StoreTroubleError as error:
                    on_trouble(judge.name, str(error))
                draining = None
            if draining is None:
                draining = asyncio.create_task(line.drain())
            await asyncio.wait([draining], timeout=settings.poll_s)
            await asyncio.sleep(max(0.0, settings.poll_s - (time.monotonic() - began)))
    finally:
        if draining is not None:
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)


async def _find(finder: Finder, judge: Judge, shared: _Shared, since_ms: int, *, choose: bool) -> None:
    """Enter what is found into the ledger, a page at a time: never all of it in memory."""
    pages = finder.find(since_ms)
    while True:
        page = await asyncio.to_thread(next, pages, None)
        if page is None:
            return
        shared.ledger.find(judge.name, judge.digest, page, now_ms(), choose=choose)
