"""How many calls of a judge may be under way: fewer when the endpoint complains, more when it does not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Endpoint:
    """What judges share that ask the same endpoint: its concurrency, in equal parts for those that have work."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.limiters: set[Limiter] = set()

    @property
    def share(self) -> int:
        """Calls at the same time for each judge that has work."""
        return max(1, self.concurrency // max(1, len(self.limiters)))


class Limiter:
    """Additive increase, multiplicative decrease (Chiu & Jain 1989) for one judge, below its share of the endpoint.

    Each judge has its own: one whose model is overloaded, or never answers, holds no more than its share.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._allowed = float(endpoint.concurrency)
        self._under_way = 0
        self._not_before = 0.0
        self._cut_at = 0.0
        self._free = asyncio.Condition()

    @property
    def allowed(self) -> int:
        """Calls that may be under way now."""
        return max(1, min(int(self._allowed), self._endpoint.share))

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a place among the calls, and for the end of a pause that the endpoint asked for."""
        async with self._free:
            while self._under_way >= self.allowed:
                await self._free.wait()
            self._under_way += 1
        try:
            while (pause := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            yield
        finally:
            self._under_way -= 1
            async with self._free:
                self._free.notify(2)  # one place is free, and one more may be allowed

    def on_success(self) -> None:
        """One more call for every full round of successes."""
        self._allowed = min(float(self._endpoint.concurrency), self._allowed + 1 / max(1.0, self._allowed))

    def on_overload(self, began: float, retry_after_s: float | None) -> None:
        """Half as many, once for all calls that were under way together; `began` is when this one did (monotonic)."""
        now = time.monotonic()
        if began >= self._cut_at:
            self._allowed = max(1.0, self._allowed / 2)
            self._cut_at = now
        if retry_after_s:
            self._not_before = max(self._not_before, now + retry_after_s)

    def open(self) -> None:
        """The judge has work: it takes its share of the endpoint."""
        self._endpoint.limiters.add(self)

    def close(self) -> None:
        """The judge has no work now: others may have its share."""
        self._endpoint.limiters.discard(self)
