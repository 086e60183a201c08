"""A burst: a number of invocations as fast as the callers go, each timed."""

import itertools
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracegauge.measure.instruments import Invoke
from tracegauge.results import Failure


@dataclass(frozen=True)
class Burst:
    """What the callers saw."""

    latency_ns: tuple[int, ...]
    """Of each invocation, in the order in which they ended."""
    wall_ns: int
    error: Failure | None
    """The first invocation that raised; the others stop then."""


def run_burst(invoke: Invoke, inputs: Sequence[Mapping[str, Any]], concurrency: int) -> Burst:
    """Invoke once per input, with `concurrency` threads that each start the next invocation when their last one ends.

    One caller runs in the calling thread, as a program without threads would.
    """
    latencies: list[int] = []
    errors: list[Failure] = []
    numbers = itertools.count()

    def call_until_done() -> None:
        for number in iter(numbers.__next__, None):
            if number >= len(inputs) or errors:
                return
            started = time.perf_counter_ns()
            try:
                invoke(inputs[number])
            except Exception as error:
                message = f"invocation {number + 1} of {len(inputs)} raised {type(error).__name__}: {error}"
                errors.append(Failure(kind="invocation_failed", message=message, detail=traceback.format_exc()))
                return
            latencies.append(time.perf_counter_ns() - started)

    started = time.perf_counter_ns()
    if concurrency == 1:
        call_until_done()
    else:
        threads = [threading.Thread(target=call_until_done, name=f"caller-{i}") for i in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return Burst(tuple(latencies), time.perf_counter_ns() - started, errors[0] if errors else None)
