import sys

import pytest

from tracegauge.measure.probes.memory import peak_rss_bytes, reset_peak


def test_a_large_block_raises_the_peak():
    reset_peak()
    before = peak_rss_bytes()
    block = bytearray(200_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert peak_rss_bytes() - before > 150_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process reset its peak")
def test_the_peak_starts_anew():
    block = bytearray(200_000_000)
    block[::4096] = b"x" * len(block[::4096])
    before = peak_rss_bytes()
    del block
    reset_peak()
    assert before - peak_rss_bytes() > 100_000_000
