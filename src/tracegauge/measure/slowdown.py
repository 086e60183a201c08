"""Slowing a cell down on purpose, by a known share: what a campaign that can be trusted must notice."""

import time
from collections.abc import Mapping
from typing import Any

from tracegauge.measure.instruments import Invoke


def slowed_down(invoke: Invoke, share: float) -> Invoke:
    """An `invoke` that takes `share` of its own duration longer: it spins, so that CPU time grows with the latency.

    What it spins is taken from the invocation itself, not from an average of warm-ups: the slowdown is then exactly
    `share` at every quantile, without an error of calibration, however fast the machine is at that moment. Under load
    it can only be longer, as the spinning thread may have to wait for the interpreter like any other code.
    """

    def invoke_slowly(inputs: Mapping[str, Any]) -> Any:
        started = time.perf_counter_ns()
        output = invoke(inputs)
        ended = time.perf_counter_ns()
        until = ended + round((ended - started) * share)
        while time.perf_counter_ns() < until:
            pass
        return output

    return invoke_slowly
