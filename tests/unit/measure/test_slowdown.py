import time

import pytest

from tracegauge.measure.slowdown import slowed_down


def test_each_invocation_takes_its_share_longer_and_spends_it_on_the_cpu():
    def invoke(inputs):
        time.sleep(inputs["s"])
        return inputs

    slow = slowed_down(invoke, 0.5)
    started, cpu_started = time.perf_counter(), time.process_time()
    assert slow({"s": 0.1}) == {"s": 0.1}
    assert time.perf_counter() - started >= 0.15
    assert time.process_time() - cpu_started > 0.005  # it spins for 50 ms; a busy machine may give it less


def test_an_invocation_that_fails_fails_as_before_and_at_once():
    with pytest.raises(KeyError, match="missing"):
        slowed_down(lambda inputs: inputs["missing"], 10.0)({})
