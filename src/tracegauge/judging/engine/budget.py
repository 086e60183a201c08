"""What a judge may spend in a day: reserved before each call, settled after it."""

import asyncio
from datetime import UTC, datetime, timedelta

from tracegauge.config.judge_fields import Budget
from tracegauge.judging.engine.ledger import Ledger, Spending
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import Usage

MOST_CALLS = 3
"""Of one attempt: a refused request for structured output, its repetition without, and one repair of the answer."""


class DailyBudget:
    """The budget of one judge.

    What the next attempt may use at most is reserved in the ledger before it begins. So a number of calls is never
    exceeded, not even by a process that is killed: what it had reserved counts as spent. Tokens and dollars are
    reserved by estimate (twice, for a repair), so they are as hard as the estimate.
    """

    def __init__(self, judge: str, budget: Budget, ledger: Ledger) -> None:
        self._judge, self._limit, self._ledger = judge, budget, ledger
        self._reserved = 0
        self._settled = asyncio.Condition()

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self._limit != Budget()

    async def reserve(self, amount: Spending) -> str | None:
        """Reserve for one attempt; returns the day it is booked on, or None where the day's budget does not allow it.

        Waits while attempts are under way that may give something back.
        """
        if not self.limited:
            return today()
        async with self._settled:
            while True:
                day = today()
                if self._fits(self._ledger.spent(self._judge, day) + amount):
                    self._ledger.spend(self._judge, day, amount)
                    self._reserved += 1
                    return day
                if not self._reserved:
                    return None
                await self._settled.wait()

    async def settle(self, day: str, reserved: Spending, used: Spending) -> None:
        """Book what an attempt has really used instead of what was reserved for it."""
        if not self.limited:
            return
        async with self._settled:
            self._ledger.spend(self._judge, day, used - reserved)
            self._reserved -= 1
            self._settled.notify_all()

    def _fits(self, total: Spending) -> bool:
        limit = self._limit
        return (
            (limit.calls is None or total.calls <= limit.calls)
            and (limit.tokens is None or total.tokens <= limit.tokens)
            and (limit.usd is None or total.usd <= limit.usd + 1e-12)
        )


def reservation(judge: Judge, estimate: Usage) -> Spending:
    """What an attempt may use at most."""
    askers = most_askers(judge)
    if not askers:
        return Spending()
    return Spending(MOST_CALLS * askers, 2 * estimate.tokens, 2 * (estimate.cost_usd or 0.0))


def most_askers(judge: Judge) -> int:
    """How many models an attempt asks: none for code, every member of a panel that is not code."""
    specs = getattr(judge.spec, "resolved", (judge.spec,))
    return sum(spec.kind != "code" for spec in specs)


def used(calls: int, usage: Usage | None) -> Spending:
    """What an attempt has used."""
    return Spending(calls, usage.tokens if usage else 0, (usage.cost_usd or 0.0) if usage else 0.0)


def today() -> str:
    """The day in UTC."""
    return datetime.now(UTC).date().isoformat()


def tomorrow_ms() -> int:
    """When the next day begins in UTC, in milliseconds since 1970."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return int(day.timestamp() * 1000)
