"""Sampling, limits, breaker and budget, each by itself."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.config.judge_fields import Budget
from tracegauge.judging.engine.breaker import Breaker
from tracegauge.judging.engine.budget import DailyBudget
from tracegauge.judging.engine.ledger import Ledger, Spending
from tracegauge.judging.engine.limiter import Endpoint, Limiter
from tracegauge.judging.engine.sampling import sampled
from tracegauge.results.judgement import Failed


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_rate_only_adds_traces(unit, judge, one, other):
    low, high = sorted((one, other))
    assert sampled(unit, judge, low) <= sampled(unit, judge, high)
    assert not sampled(unit, judge, 0.0)
    assert sampled(unit, judge, 1.0)


def test_samples_have_the_rate_and_are_independent():
    units = [f"tr-{number:032x}" for number in range(20_000)]
    first = [sampled(unit, "first", 0.1) for unit in units]
    second = [sampled(unit, "second", 0.1) for unit in units]
    # Binomial: 20,000 at 0.1 has a standard deviation of 42, and both at once (0.01) of 14; six of them are allowed.
    assert abs(sum(first) - 2000) < 6 * 42
    assert abs(sum(a and b for a, b in zip(first, second, strict=True)) - 200) < 6 * 14


def test_the_limit_halves_once_for_a_round_and_grows_by_one_for_a_round():
    async def use() -> None:
        limiter = Limiter(Endpoint(32))
        began = time.monotonic()
        for _ in range(10):  # ten calls that were under way together
            limiter.on_overload(began, None)
        assert limiter.allowed == 16
        for _ in range(16):
            limiter.on_success()
        assert limiter.allowed in (16, 17)
        for _ in range(2):
            limiter.on_success()
        assert limiter.allowed == 17
        for _ in range(20):
            limiter.on_overload(time.monotonic(), None)
        assert limiter.allowed == 1

    asyncio.run(use())


def test_judges_share_an_endpoint_in_equal_parts_and_retry_after_is_waited_for():
    async def use() -> None:
        endpoint = Endpoint(8)
        one, other = Limiter(endpoint), Limiter(endpoint)
        one.open()
        assert one.allowed == 8
        other.open()
        assert one.allowed == other.allowed == 4
        other.on_overload(time.monotonic(), retry_after_s=0.2)
        began = time.monotonic()
        async with other.slot():
            assert time.monotonic() - began >= 0.2
        other.close()
        assert one.allowed == 8

    asyncio.run(use())


def test_no_more_calls_than_allowed_are_under_way():
    most = now = 0

    async def call(limiter: Limiter) -> None:
        nonlocal most, now
        async with limiter.slot():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    async def use() -> None:
        limiter = Limiter(Endpoint(5))
        await asyncio.gather(*(call(limiter) for _ in range(50)))

    asyncio.run(use())
    assert most == 5


def test_the_breaker_counts_the_endpoints_faults_in_a_row():
    down, silent = Failed(kind="unreachable", message="down"), Failed(kind="no_content", message="empty")
    breaker = Breaker(failures=2, first_wait_s=1.0, longest_wait_s=3.0)
    breaker.note(down)
    breaker.note(silent)  # the trace's fault, not the endpoint's
    breaker.note(down)
    assert not breaker.broken
    breaker.note(down)
    assert breaker.broken
    assert [breaker.next_pause_s() for _ in range(3)] == [1.0, 2.0, 3.0]
    breaker.note(None)
    assert not breaker.broken
    assert breaker.next_pause_s() == 1.0


@pytest.mark.parametrize("limit", [3, 10, 17])
def test_a_budget_is_never_exceeded_and_used_up(tmp_path, limit):
    calls = 0

    async def attempt(budget: DailyBudget) -> bool:
        nonlocal calls
        day = await budget.reserve(Spending(3))
        if day is None:
            return False
        calls += 1
        await asyncio.sleep(0)
        await budget.settle(day, Spending(3), Spending(1))
        return True

    async def use() -> None:
        with Ledger(tmp_path / "ledger.db") as ledger:
            budget = DailyBudget("judge", Budget(calls=limit), ledger)
            done = await asyncio.gather(*(attempt(budget) for _ in range(30)))
            # Each attempt takes one call in the end; the last two can't be reserved for, as three may be needed.
            assert sum(done) == calls == limit - 2
            again = DailyBudget("judge", Budget(calls=limit), ledger)
            assert await again.reserve(Spending(3)) is None

    asyncio.run(use())


def test_what_a_killed_process_had_reserved_counts_as_spent(tmp_path):
    async def use() -> None:
        with Ledger(tmp_path / "ledger.db") as ledger:
            assert await DailyBudget("judge", Budget(calls=4), ledger).reserve(Spending(3))
        with Ledger(tmp_path / "ledger.db") as ledger:
            assert await DailyBudget("judge", Budget(calls=4), ledger).reserve(Spending(3)) is None

    asyncio.run(use())
