"""How a process ends, and which of the traces that it had finished before are stored: all of them."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tracegauge.tracking.delivery import FlushReport, make_delivery

SCRIPT = Path(__file__).with_name("burst_process.py")
ENOUGH = 100_000
"""More traces than a process can finish before it is told to end."""


class Burst:
    """The process, and the names of the traces that it said it had finished."""

    def __init__(self, database: Path, spill_folder: Path, count: int, mode: str) -> None:
        command = [sys.executable, SCRIPT, database, spill_folder, str(count), mode]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.finished: list[str] = []

    def go(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def read(self, count: int) -> None:
        self.finished += [self.process.stdout.readline().strip() for _ in range(count)]

    def end(self, number: int | None = None) -> int:
        """Send a signal, or none, and wait; the exit code. Lines that were half written are no claim."""
        if number is not None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=120)
        self.finished += [line for line in rest.split("\n")[:-1] if line.isdigit()]
        return self.process.returncode


@pytest.fixture
def burst(context, database: Path) -> Iterator[Callable[[int, str], Burst]]:
    started: list[Burst] = []

    def burst(count: int, mode: str = "plain") -> Burst:
        started.append(Burst(database, context.spill_dir, count, mode))
        return started[-1]

    yield burst
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_a_normal_exit_stores_everything(burst, database, trace_names):
    process = burst(60)
    process.go()
    assert process.end() == 0
    assert len(process.finished) == 60
    assert trace_names(database) == sorted(process.finished)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exit_codes"),
    [
        (signal.SIGTERM, {-signal.SIGTERM}),
        # After KeyboardInterrupt Python ends itself with SIGINT, unless work at exit runs code from text, as SQLAlchemy
        # does: then it forgets why it ends, and the exit code is 1.
        (signal.SIGINT, {-signal.SIGINT, 1}),
    ],
)
def test_a_signal_in_the_middle_of_a_burst_loses_nothing(burst, database, trace_names, number, exit_codes):
    process = burst(ENOUGH)
    process.go()
    process.read(150)
    assert process.end(number) in exit_codes
    assert len(process.finished) >= 150
    stored = trace_names(database)
    assert set(process.finished) <= set(stored)
    assert len(stored) == len(set(stored))


@pytest.mark.slow
def test_threads_that_go_on_tracing_while_the_process_ends_lose_nothing(burst, context, database, trace_names):
    process = burst(ENOUGH, "threads")
    process.go()
    process.read(150)
    assert process.end(signal.SIGTERM) == -signal.SIGTERM
    following = make_delivery("lossless")
    following.install(context)
    assert following.flush(timeout_s=None) == FlushReport()
    following.uninstall()
    assert set(process.finished) <= set(trace_names(database))


@pytest.mark.slow
def test_a_handler_that_ends_the_process_at_once_loses_nothing(burst, context, database, trace_names):
    """What could not be stored within the timeout is on disk when the application's own handler is called."""
    process = burst(ENOUGH, "own-handler")
    process.go()
    process.read(150)
    assert process.end(signal.SIGTERM) == 7
    following = make_delivery("lossless")
    following.install(context)
    assert following.flush(timeout_s=None) == FlushReport()
    following.uninstall()
    assert set(process.finished) <= set(trace_names(database))


@pytest.mark.slow
def test_what_was_on_disk_outlives_kill_9(burst, context, database, hold_lock, trace_names):
    process = burst(40, "little-memory")
    with hold_lock(database):
        process.go()
        process.read(40)
        assert process.process.stdout.readline() == "done\n"
        (spill_file,) = context.spill_dir.iterdir()
        process.end(signal.SIGKILL)
        on_disk = len(spill_file.read_bytes().splitlines())
    assert on_disk > 20
    following = make_delivery("lossless")
    following.install(context)
    assert following.flush(timeout_s=None) == FlushReport()
    following.uninstall()
    stored = trace_names(database)
    assert len(stored) == on_disk
    assert set(stored) <= set(process.finished)
    assert not list(context.spill_dir.iterdir())


@pytest.mark.slow
def test_spans_of_a_trace_that_never_ended_are_stored_at_exit(burst, database, rows):
    process = burst(0, "unfinished")
    process.go()
    assert process.end() == 0
    assert rows(database, "select name from spans") == [("child that has ended",)]
    assert rows(database, "select status from trace_info") == [("IN_PROGRESS",)]
