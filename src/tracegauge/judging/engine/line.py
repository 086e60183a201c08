"""The line of one judge: takes what is due from the ledger, reads it, has it judged, hands it to the writer.

Each judge has its own: what holds up one of them holds up no other.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from tracegauge.judging import assessment_keys as keys
from tracegauge.judging.content import Content
from tracegauge.judging.engine.breaker import ENDPOINTS_FAULT, Breaker
from tracegauge.judging.engine.budget import DailyBudget, reservation, tomorrow_ms, used
from tracegauge.judging.engine.ledger import Due, Ledger, Outcome, Spending
from tracegauge.judging.engine.limiter import Endpoint, Limiter
from tracegauge.judging.engine.reader import Item, Reader, StoreTroubleError
from tracegauge.judging.engine.settings import EngineSettings
from tracegauge.judging.engine.trace_store import TraceStore, first_line, given
from tracegauge.judging.engine.writer import GONE, SESSION_UNIT, Verdict, Writer, now_ms
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Scored, Usage

_NS_PER_MS = 1_000_000
_LINGER_MS = 30_000
_GRACE_S = 10.0
_REFUSALS = 3
"""Reservations in a row that the budget does not allow, after which the rest of the day is skipped."""


class Line:
    """Works off what is due for one judge."""

    def __init__(
        self,
        judge: Judge,
        store: TraceStore,
        ledger: Ledger,
        writer: Writer,
        endpoint: Endpoint,
        settings: EngineSettings,
        *,
        again_before_ms: int = 0,
        chosen_only: bool = False,
        newest_first: bool = False,
        limit: int | None = None,
        on_settled: Callable[[], None] = lambda: None,
    ) -> None:
        self.judge = judge
        self._store, self._ledger, self._writer, self._settings = store, ledger, writer, settings
        self._reader = Reader(judge, store, settings)
        self._limiter = Limiter(endpoint)
        # Under way, waiting to be written, and read in advance: code is through at once, and waits for the writer only.
        self._most = max(4 * endpoint.concurrency, 2 * settings.write_batch)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_wait_s, settings.breaker_longest_s)
        self._budget = DailyBudget(judge.name, judge.spec.budget, ledger)
        self._again_before_ms, self._chosen_only, self._newest_first = again_before_ms, chosen_only, newest_first
        self._left = limit
        self._on_settled = on_settled
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, asyncio.Future[None]] = {}
        """Contents that are being judged, so that an equal one waits for the verdict."""
        self._refusals = 0

    async def drain(self) -> None:
        """Work until nothing is due; cancelled, it drops what is under way, which stays due.

        Raises StoreTroubleError, when what is under way has been written.
        """
        self._limiter.open()
        try:
            while True:
                if self._breaker.broken and not await self._recovered():
                    return
                due = self._take(self._settings.read_batch)
                if due:
                    for item in await self._read(due):
                        self._tasks[item.due.unit] = asyncio.create_task(self._handle(item))
                    await self._until(self._most)
                elif self._tasks:
                    await self._until(len(self._tasks))
                elif not await self._worth_waiting():
                    return
        finally:
            self._limiter.close()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._tasks.clear()

    async def _read(self, due: Sequence[Due]) -> list[Item]:
        try:
            return await self._reader.read(due)
        except StoreTroubleError:
            await self._until(1)
            raise

    def _take(self, most: int) -> list[Due]:
        wanted = most if self._left is None else min(most, self._left)
        due = self._ledger.due(
            self.judge.digest,
            wanted,
            now_ms(),
            again_before_ms=self._again_before_ms,
            in_hand=self._tasks,
            newest_first=self._newest_first,
            chosen_only=self._chosen_only,
        )
        if self._left is not None:
            self._left -= len(due)
        return due

    async def _until(self, count: int) -> None:
        """Wait until fewer than `count` are in hand; raises what the ledger raised."""
        while len(self._tasks) >= max(1, count):
            done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            self._drop(done)
        self._drop([task for task in self._tasks.values() if task.done()])

    def _drop(self, done: Collection[asyncio.Task[None]]) -> None:
        for unit in [unit for unit, task in self._tasks.items() if task in done]:
            self._tasks.pop(unit).result()

    async def _worth_waiting(self) -> bool:
        """Whether something that was put off is due so soon that it is waited for."""
        next_try = self._ledger.next_try_ms(self.judge.digest)
        if next_try is None or self._left is not None or not 0 < next_try - now_ms() <= _LINGER_MS:
            return False
        await asyncio.sleep((next_try - now_ms()) / 1000 + 0.01)
        return True

    async def _recovered(self) -> bool:
        """Wait out pauses and try one at a time, until one is answered; False where nothing is left to be done."""
        while self._breaker.broken:
            await self._until(1)
            most = self._settings.breaker_gives_up
            if most is not None and self._breaker.pauses >= most:
                self._put_off_rest()
                return False
            await asyncio.sleep(self._breaker.next_pause_s())
            trial = self._take(1)
            if not trial:
                return False
            for item in await self._read(trial):
                self._tasks[item.due.unit] = asyncio.create_task(self._handle(item, trial=True))
        await self._until(1)
        return True

    def _put_off_rest(self) -> None:
        last = self._breaker.last
        assert last is not None
        again = now_ms() + int(self._settings.put_off_s * 1000)
        message = f"not asked after {self._settings.breaker_failures} failures in a row; the last: {last.message}"
        outcome = Outcome("", "failed", last.kind, message, again)
        self._ledger.put_off_rest(
            self.judge.digest,
            outcome,
            now_ms(),
            again_before_ms=self._again_before_ms,
            chosen_only=self._chosen_only,
        )

    # --- judging ---------------------------------------------------------------------------------------------------

    async def _handle(self, item: Item, *, trial: bool = False) -> None:
        verdict = await self._verdict(item, trial)
        if verdict is None:
            if self._left is not None:
                self._left += 1
            return
        await self._writer.write(verdict)
        self._on_settled()

    async def _verdict(self, item: Item, trial: bool) -> Verdict | None:
        """What becomes of an item; None where it stays due."""
        if not item.traces:
            return Verdict(self.judge, await asyncio.to_thread(self._missing, item))
        before = given(item.traces[0].info.assessments, self.judge.digest)
        if before is not None:
            return Verdict(self.judge, _given_before(item.due.unit, before, self.judge))
        if isinstance(item.content, Failed):
            return self._failed(item, item.content, 0, NOTHING_USED)
        content = item.content
        while content.digest in self._asked:
            await asyncio.wait([self._asked[content.digest]])
        known = self._ledger.verdict(self.judge.digest, content.digest)
        if known is not None:
            return self._scored(item, content, known, 0, NOTHING_USED, cached=True)
        asked = self._asked[content.digest] = asyncio.get_running_loop().create_future()
        try:
            verdict = await self._ask(item, content, trial)
            if verdict is not None and verdict.scored is not None:
                self._ledger.keep_verdict(self.judge.digest, content.digest, verdict.scored)
            return verdict
        finally:
            del self._asked[content.digest]
            asked.set_result(None)

    async def _ask(self, item: Item, content: Content, trial: bool) -> Verdict | None:
        calls, usage = 0, NOTHING_USED
        wait_s = self.judge.spec.retry.first_wait_s
        attempts = 1 if trial else self.judge.spec.retry.attempts
        last: Failed | None = None
        for attempt in range(1, attempts + 1):
            judgement = await self._attempt(content, trial)
            if judgement is None:  # the judge is left alone for now
                return None if last is None else self._failed(item, last, calls, usage)
            if judgement == "no budget":
                return self._skipped(item, calls, usage)
            calls, usage = calls + judgement.calls, usage + (judgement.usage or NOTHING_USED)
            if isinstance(judgement, Scored):
                return self._scored(item, content, judgement, calls, usage)
            last = judgement
            if judgement.lasting or attempt == attempts or (self._breaker.broken and not trial):
                break
            pause_s = min(wait_s, self.judge.spec.retry.longest_wait_s) * random.uniform(0.5, 1.0)
            await asyncio.sleep(max(pause_s, judgement.retry_after_s or 0.0))
            wait_s *= 2
        assert last is not None
        return self._failed(item, last, calls, usage)

    async def _attempt(self, content: Content, trial: bool) -> Judgement | Literal["no budget"] | None:
        reserved = reservation(self.judge, self.judge.estimate(content)) if self._budget.limited else Spending()
        day = await self._budget.reserve(reserved)
        if day is None:
            return "no budget"
        self._refusals = 0
        spent = Spending()
        try:
            async with self._limiter.slot():
                if self._breaker.broken and not trial:
                    return None
                spent = reserved  # cancelled from here on, nobody knows what was used
                began = time.monotonic()
                judgement = await self._guarded(content)
            spent = used(judgement.calls, judgement.usage)
        finally:
            await self._budget.settle(day, reserved, spent)
        if isinstance(judgement, Scored):
            self._limiter.on_success()
            self._breaker.note(None)
        else:
            self._breaker.note(judgement)
            if judgement.kind == "rate_limited" or judgement.retry_after_s:
                self._limiter.on_overload(began, judgement.retry_after_s)
        return judgement

    async def _guarded(self, content: Content) -> Judgement:
        """Judges promise to raise nothing and to keep their time; a broken promise is a failure like others."""
        try:
            async with asyncio.timeout(self.judge.spec.timeout_s + _GRACE_S):
                return await self.judge.judge(content)
        except TimeoutError:
            return Failed(kind="timed_out", message=f"no answer within {self.judge.spec.timeout_s:g} s")
        except Exception as error:
            return Failed(kind="raised", message=f"{type(error).__name__}: {first_line(error)}")

    # --- outcomes --------------------------------------------------------------------------------------------------

    def _missing(self, item: Item) -> Outcome:
        assert isinstance(item.content, Failed)
        unit, message = item.due.unit, item.content.message
        try:
            gone = not message and not unit.startswith(SESSION_UNIT) and not self._store.exists(unit)
        except Exception as error:
            gone, message = False, first_line(error)
        if gone:
            return Outcome(unit, "failed", "gone", GONE)
        return Outcome(unit, "failed", "not_read", message or "not all of its spans are there", self._again_ms(item))

    def _scored(
        self, item: Item, content: Content, scored: Scored, calls: int, usage: Usage, *, cached: bool = False
    ) -> Verdict:
        outcome = Outcome(
            item.due.unit,
            "scored",
            value=scored.value,
            passed=self.judge.spec.good(scored.value),
            cached=cached,
            mock=scored.mock,
            calls=calls,
            usage=usage,
            latency_ms=None if cached else scored.latency_ns / _NS_PER_MS,
        )
        return Verdict(self.judge, outcome, item.traces[0].info.trace_id, content.digest, scored)

    def _failed(self, item: Item, failure: Failed, calls: int, usage: Usage) -> Verdict:
        again: int | None = self._again_ms(item)
        if failure.final and item.due.tries:  # it was tried twice, in case not all of it was there the first time
            again = None
        elif self._breaker.broken and failure.kind in ENDPOINTS_FAULT:
            again = now_ms() + int(self._settings.breaker_wait_s * 1000)  # tried when the judge is
        outcome = Outcome(item.due.unit, "failed", failure.kind, failure.message, again, calls=calls, usage=usage)
        return Verdict(self.judge, outcome)

    def _skipped(self, item: Item, calls: int, usage: Usage) -> Verdict:
        message = "the judge's budget of the day does not allow it"
        outcome = Outcome(item.due.unit, "skipped_by_budget", None, message, tomorrow_ms(), calls=calls, usage=usage)
        self._refusals += 1
        if self._refusals == _REFUSALS:
            self._ledger.put_off_rest(
                self.judge.digest, outcome, now_ms(), in_hand=self._tasks, chosen_only=self._chosen_only
            )
        return Verdict(self.judge, outcome)

    def _again_ms(self, item: Item) -> int:
        wait_s = min(self._settings.put_off_longest_s, self._settings.put_off_s * 2.0 ** min(item.due.tries, 20))
        return now_ms() + int(wait_s * random.uniform(0.75, 1.25) * 1000)


def _given_before(unit: str, assessment: object, judge: Judge) -> Outcome:
    """A score that is in the store already: from before a crash, or from a ledger that is lost."""
    metadata = getattr(assessment, "metadata", None) or {}
    value = getattr(assessment, "value", None)
    cost = metadata.get(keys.COST_USD)
    return Outcome(
        unit,
        "scored",
        value=value,
        passed=judge.spec.good(value) if value is not None else None,
        mock=metadata.get(keys.MOCK) == "true",
        usage=Usage(cost_usd=float(cost) if cost is not None else None),
        latency_ms=float(metadata[keys.LATENCY_MS]) if keys.LATENCY_MS in metadata else None,
    )
