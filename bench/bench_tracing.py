"""What tracing costs, as pytest-benchmark sees it: run with `pytest bench`.

All benchmarks here replay one interleaved campaign; see `bench/quick.yaml` for what it measures.
"""

import pytest

# The first benchmark waits for the whole campaign, which has timeouts of its own.
pytestmark = [pytest.mark.tracegauge(campaign="bench/quick.yaml"), pytest.mark.timeout(0)]


@pytest.mark.tracegauge(metric="latency")
def bench_latency(replay):
    """How long a caller waits for an invocation."""
    replay()


@pytest.mark.tracegauge(metric="cpu")
def bench_export_cpu(replay):
    """CPU time per invocation, export included."""
    replay()


@pytest.mark.tracegauge(metric="drain")
def bench_drain(replay):
    """From the last invocation until every trace is in the store."""
    replay()


@pytest.mark.tracegauge(metric="search")
def bench_reads(replay):
    """A search of 100 traces."""
    replay()
