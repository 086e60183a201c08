"""The queue in memory: bounded, with back-pressure that ends."""

import threading
import time
from dataclasses import dataclass

import pytest

from tracegauge.tracking.delivery.buffer import Buffer

LONG = 60.0


@dataclass(frozen=True)
class Load:
    """All that the buffer asks of a parcel."""

    name: str
    size_bytes: int = 1


def names(held) -> list[str]:
    return [item.parcel.name for item in held]


def buffer_with(*parcels: Load, max_bytes: int = 100, batch: int = 10) -> Buffer:
    buffer = Buffer(max_bytes, batch)
    for parcel in parcels:
        assert buffer.put(parcel, timeout_s=0)
    return buffer


def in_thread(function, *arguments) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def test_a_full_batch_is_taken_at_once_oldest_first():
    buffer = buffer_with(*(Load(letter) for letter in "abcde"), batch=3)
    assert names(buffer.take(linger_s=LONG, timeout_s=LONG)) == ["a", "b", "c"]


def test_fewer_wait_for_others_for_the_linger_time():
    buffer = buffer_with(Load("a"), batch=3)
    started = time.monotonic()
    assert names(buffer.take(linger_s=0.2, timeout_s=LONG)) == ["a"]
    assert time.monotonic() - started >= 0.15


def test_nothing_comes_of_nothing():
    assert not buffer_with().take(linger_s=0, timeout_s=0)


def test_a_flush_does_not_wait_for_others():
    buffer = buffer_with(Load("a"), batch=3)
    flush = in_thread(buffer.wait_settled, None)
    held = buffer.take(linger_s=LONG, timeout_s=LONG)
    assert names(held) == ["a"]
    assert flush.is_alive(), "taken is not settled"
    buffer.settle(held)
    flush.join(LONG)
    assert not flush.is_alive()


def test_a_flush_waits_for_what_was_there_when_it_began_only():
    buffer = buffer_with(Load("a"))
    flush = in_thread(buffer.wait_settled, None)
    held = buffer.take(linger_s=LONG, timeout_s=LONG)
    assert buffer.put(Load("later"), timeout_s=0)
    buffer.settle(held)
    flush.join(LONG)
    assert not flush.is_alive()
    assert len(buffer) == 1


def test_a_flush_ends_with_its_deadline():
    buffer = buffer_with(Load("a"))
    assert not buffer.wait_settled(time.monotonic() + 0.05)
    assert len(buffer) == 1


def test_what_is_being_written_still_counts_against_the_limit():
    buffer = buffer_with(Load("a", 60))
    held = buffer.take(linger_s=0, timeout_s=0)
    assert not buffer.put(Load("b", 60), timeout_s=0)
    buffer.settle(held)
    assert buffer.put(Load("b", 60), timeout_s=0)


def test_a_parcel_larger_than_the_limit_is_taken_when_nothing_else_is_there():
    buffer = buffer_with(max_bytes=10)
    assert buffer.put(Load("large", 1000), timeout_s=0)
    assert not buffer.put(Load("small", 1), timeout_s=0)


def test_back_pressure_ends_when_there_is_room():
    buffer = buffer_with(Load("a", 100))
    held = buffer.take(linger_s=0, timeout_s=0)
    answers = []
    caller = in_thread(lambda: answers.append(buffer.put(Load("b", 100), timeout_s=LONG)))
    buffer.settle(held)
    caller.join(LONG)
    assert answers == [True]


def test_back_pressure_ends_with_the_timeout_and_is_paid_once():
    buffer = buffer_with(Load("a", 60))
    started = time.monotonic()
    assert not buffer.put(Load("b", 60), timeout_s=0.1)
    first = time.monotonic()
    assert first - started >= 0.1
    # Nobody waits again (not even for a parcel that there would be room for) until the buffer is half empty.
    assert not buffer.put(Load("c", 60), timeout_s=LONG)
    assert not buffer.put(Load("d", 10), timeout_s=LONG)
    assert time.monotonic() - first < LONG / 2
    buffer.settle(buffer.take(linger_s=0, timeout_s=0))
    assert buffer.put(Load("e", 60), timeout_s=0)


def test_one_timeout_releases_all_who_wait():
    buffer = buffer_with(Load("a", 100))
    others = [in_thread(buffer.put, Load("b", 100), LONG) for _ in range(4)]
    assert not buffer.put(Load("c", 100), timeout_s=0.1)
    for thread in others:
        thread.join(LONG / 2)
    assert not any(thread.is_alive() for thread in others)


def test_taking_back_leaves_what_is_being_written():
    buffer = buffer_with(Load("a"), Load("b"), Load("c"), batch=1)
    buffer.take(linger_s=0, timeout_s=0)
    assert names(buffer.take_back()) == ["b", "c"]
    assert names(buffer.unsettled()) == ["a", "b", "c"]


def test_a_stopped_buffer_gives_nothing_and_keeps_what_it_has():
    buffer = buffer_with(Load("a"))
    buffer.stop()
    assert not buffer.take(linger_s=LONG, timeout_s=LONG)
    assert not buffer.put(Load("late"), timeout_s=LONG)
    assert names(buffer.unsettled()) == ["a"]


@pytest.mark.parametrize("end", ["flush", "stop", "full"])
def test_a_rest_ends_when_there_is_something_to_do(end: str):
    buffer = buffer_with(Load("a", 10))
    resting = in_thread(buffer.rest, LONG)
    if end == "flush":
        in_thread(buffer.wait_settled, None)
    elif end == "stop":
        buffer.stop()
    else:
        assert not buffer.put(Load("b", 95), timeout_s=0.05)
    resting.join(LONG / 2)
    assert not resting.is_alive()


def test_there_is_no_rest_when_the_buffer_is_half_full():
    started = time.monotonic()
    buffer_with(Load("a", 50)).rest(LONG)
    assert time.monotonic() - started < LONG / 2


def test_many_threads_lose_nothing():
    buffer = Buffer(max_bytes=50, batch=7)
    taken: list[str] = []

    def take() -> None:
        while len(taken) < 800:
            held = buffer.take(linger_s=0.001, timeout_s=0.05)
            taken.extend(names(held))
            buffer.settle(held)

    def put(caller: int) -> None:
        for number in range(200):
            assert buffer.put(Load(f"{caller}-{number}"), timeout_s=LONG)

    threads = [in_thread(take), *(in_thread(put, caller) for caller in range(4))]
    for thread in threads:
        thread.join(LONG)
    assert sorted(taken) == sorted(f"{caller}-{number}" for caller in range(4) for number in range(200))
    assert len(buffer) == 0
