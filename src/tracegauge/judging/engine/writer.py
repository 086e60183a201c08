"""Writes what judges said, many at once: into the store, then into the ledger."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mlflow.entities import AssessmentSource, Feedback

from tracegauge.judging import assessment_keys as keys
from tracegauge.judging.engine.ledger import Ledger, Outcome
from tracegauge.judging.engine.settings import EngineSettings
from tracegauge.judging.engine.trace_store import SESSION, Refused, TraceStore, assessment_id, first_line, is_transient
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import Scored

_NS_PER_MS = 1_000_000


@dataclass
class Verdict:
    """What became of a trace or session, on its way to the disk."""

    judge: Judge
    outcome: Outcome
    trace_id: str = ""
    """Where the assessment goes."""
    content: str = ""
    """Digest of what was judged."""
    scored: Scored | None = None
    """None where there is nothing to write into the store."""
    written: asyncio.Event = field(default_factory=asyncio.Event)


class Writer:
    """One for all judges.

    A verdict that was paid for is in the ledger before it comes here. Then the assessment goes into the store, then
    what became of the trace into the ledger. Killed in between, the next start finds the verdict, or the assessment,
    and asks nobody again.
    """

    def __init__(self, store: TraceStore, ledger: Ledger, settings: EngineSettings) -> None:
        self._store, self._ledger, self._settings = store, ledger, settings
        self._queue: asyncio.Queue[Verdict] = asyncio.Queue()

    async def write(self, verdict: Verdict) -> None:
        """Hand over and wait until it is written."""
        self._queue.put_nowait(verdict)
        await verdict.written.wait()

    async def work(self) -> None:
        """Write until cancelled; what was handed over before is still written then."""
        stopping = False
        while not (stopping and self._queue.empty()):
            batch: list[Verdict] = []
            try:
                await self._collect(batch)
            except asyncio.CancelledError:
                stopping = True
            while not self._queue.empty() and len(batch) < self._settings.write_batch:
                batch.append(self._queue.get_nowait())
            if batch:
                flushing = asyncio.ensure_future(self._flush(batch))
                while not flushing.done():
                    try:
                        await asyncio.shield(flushing)
                    except asyncio.CancelledError:
                        stopping = True
                flushing.result()

    async def _collect(self, batch: list[Verdict]) -> None:
        batch.append(await self._queue.get())
        deadline = time.monotonic() + self._settings.write_after_s
        while len(batch) < self._settings.write_batch and (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    batch.append(await self._queue.get())
            except TimeoutError:
                return

    async def _flush(self, batch: Sequence[Verdict]) -> None:
        by_digest: dict[str, list[Verdict]] = {}
        for one in batch:
            by_digest.setdefault(one.judge.digest, []).append(one)
        errors = await self._into_store([one for one in batch if one.scored])
        for digest, verdicts in by_digest.items():
            outcomes = [self._final(one, errors.get(id(one))) for one in verdicts]
            self._ledger.record(digest, outcomes, now_ms())
        for one in batch:
            one.written.set()

    async def _into_store(self, verdicts: list[Verdict]) -> dict[int, tuple[str, str]]:
        """Kind and message of what went wrong, by identity of the verdict."""
        if not verdicts:
            return {}
        assessments = [_feedback(one) for one in verdicts]
        wait_s = self._settings.store_wait_s
        for attempt in range(1, self._settings.store_attempts + 1):
            try:
                errors = await asyncio.to_thread(self._store.write, assessments)
                break
            except Exception as error:
                if attempt == self._settings.store_attempts or not is_transient(error):
                    return {id(one): ("not_written", first_line(error)) for one in verdicts}
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))
            wait_s *= 2
        found: dict[int, tuple[str, str]] = {}
        for one, problem in zip(verdicts, errors, strict=True):
            if problem is not None:
                found[id(one)] = await asyncio.to_thread(self._what_happened, one, problem)
        return found

    def _what_happened(self, verdict: Verdict, error: Refused) -> tuple[str, str]:
        try:
            there = self._store.exists(verdict.trace_id)
        except Exception as trouble:
            return "not_written", first_line(trouble)
        return ("not_written", error) if there else ("gone", GONE)

    def _final(self, verdict: Verdict, problem: tuple[str, str] | None) -> Outcome:
        if problem is None:
            return verdict.outcome
        kind, message = problem
        again = None if kind == "gone" else now_ms() + int(self._settings.put_off_s * 1000)
        outcome = replace(verdict.outcome, state="failed", failure=kind, message=message, next_try_ms=again)
        verdict.outcome = replace(outcome, value=None, passed=None, latency_ms=None)
        return verdict.outcome


GONE = "the trace was deleted before its assessment was written"


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // _NS_PER_MS


def _feedback(verdict: Verdict) -> Feedback:
    judge, scored = verdict.judge, verdict.scored
    assert scored is not None
    unit = verdict.outcome.unit
    cost = verdict.outcome.usage.cost_usd
    metadata = {
        keys.JUDGE: judge.name,
        keys.JUDGE_DIGEST: judge.digest,
        keys.CONTENT_DIGEST: verdict.content,
        keys.LATENCY_MS: f"{verdict.outcome.latency_ms or 0:.1f}",
    }
    if cost is not None:
        metadata[keys.COST_USD] = f"{cost:.8f}"
    if scored.mock:
        metadata[keys.MOCK] = "true"
    if unit.startswith(SESSION_UNIT):
        metadata[SESSION] = unit.removeprefix(SESSION_UNIT)
    source = scored.model or getattr(judge.spec, "model", None) or getattr(judge.spec, "function", None) or judge.name
    feedback = Feedback(
        name=judge.name,
        value=scored.value,
        rationale=scored.rationale,
        source=AssessmentSource(source_type=judge.source_type, source_id=str(source)[:250]),
        metadata=metadata,
        trace_id=verdict.trace_id,
    )
    feedback.assessment_id = assessment_id(unit, judge.digest)
    return feedback


SESSION_UNIT = "session:"
