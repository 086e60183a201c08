"""Asking judges about a list of contents at once, outside the ledger and the cache: for calibrations and audits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx

from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.build import build_judge
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import Failed, Judgement, Scored

CONCURRENCY = 8
_PASSING = ("unreachable", "rate_limited", "server_error", "timed_out")
"""Kinds of failure that say nothing of the judge, and may be gone at the next attempt."""


@asynccontextmanager
async def ready(spec: JudgeSpec, judges: Mapping[str, JudgeSpec]) -> AsyncIterator[Judge]:
    """The judge with an HTTP client of its own, closed at the end. Raises ConfigError where it can't work."""
    async with httpx.AsyncClient(timeout=spec.timeout_s) as http:
        judge = build_judge(spec, judges, http)
        try:
            yield judge
        finally:
            await judge.aclose()


async def ask(
    judge: Judge,
    contents: Sequence[Content],
    concurrency: int = CONCURRENCY,
    on_done: Callable[[], None] | None = None,
) -> list[Judgement]:
    """One judgement of each content, in their order, with the judge's own retries of what may pass."""
    free = asyncio.Semaphore(concurrency)

    async def one(content: Content) -> Judgement:
        async with free:
            judgement = await _with_retries(judge, content)
        if on_done:
            on_done()
        return judgement

    return list(await asyncio.gather(*map(one, contents)))


async def _with_retries(judge: Judge, content: Content) -> Judgement:
    retry, wait_s = judge.spec.retry, judge.spec.retry.first_wait_s
    judgement = await judge.judge(content)
    for _ in range(retry.attempts - 1):
        if not isinstance(judgement, Failed) or judgement.kind not in _PASSING:
            break
        await asyncio.sleep(judgement.retry_after_s or wait_s)
        wait_s = min(2 * wait_s, retry.longest_wait_s)
        judgement = await judge.judge(content)
    return judgement


def answered_by(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    """The models that answered, as they call themselves."""
    return tuple(sorted({one.model for one in judgements if isinstance(one, Scored) and one.model}))


def any_mock(judgements: Sequence[Judgement]) -> bool:
    """Whether a mock answered, in a panel too."""
    return any(isinstance(one, Scored) and one.mock for one in judgements)
