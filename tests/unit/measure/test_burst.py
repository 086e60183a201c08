import threading
import time

from tracegauge.measure.burst import run_burst


def test_every_input_is_invoked_once_and_timed():
    seen = []
    burst = run_burst(lambda inputs: seen.append(inputs["n"]), [{"n": n} for n in range(5)], concurrency=1)
    assert seen == [0, 1, 2, 3, 4]
    assert len(burst.latency_ns) == 5
    assert burst.error is None


def test_one_caller_runs_in_the_calling_thread():
    threads = set()
    run_burst(lambda _: threads.add(threading.current_thread()), [{}] * 3, concurrency=1)
    assert threads == {threading.current_thread()}


def test_callers_invoke_at_the_same_time():
    # Four callers meet at a barrier: with fewer at once it would break after its timeout.
    barrier = threading.Barrier(4, timeout=10)
    burst = run_burst(lambda _: barrier.wait(), [{}] * 8, concurrency=4)
    assert burst.error is None
    assert len(burst.latency_ns) == 8


def test_latencies_and_wall_time_cover_the_invocations():
    burst = run_burst(lambda _: time.sleep(0.02), [{}] * 3, concurrency=1)
    assert all(latency >= 20_000_000 for latency in burst.latency_ns)
    assert burst.wall_ns >= sum(burst.latency_ns)


def test_the_first_error_ends_the_burst():
    def invoke(inputs):
        if inputs["n"] == 2:
            raise ValueError("no such thing")

    burst = run_burst(invoke, [{"n": n} for n in range(10)], concurrency=1)
    assert len(burst.latency_ns) == 2
    assert burst.error is not None
    assert burst.error.kind == "invocation_failed"
    assert burst.error.message == "invocation 3 of 10 raised ValueError: no such thing"
    assert "ValueError" in burst.error.detail
