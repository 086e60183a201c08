"""The mock in a process of its own, for as long as a program needs it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from tracegauge.mock_llm.script import MockScript

_STOP_S = 5


@dataclass(frozen=True)
class MockProcess:
    """A mock that is running."""

    url: str
    """Base URL, up to `/v1`: the value for OPENAI_BASE_URL."""
    pid: int

    def stats(self) -> dict[str, int]:
        """How many requests came (`chat_requests`), were answered (`answered`), and met which fault."""
        with urlopen(f"{self.url.removesuffix('/v1')}/stats", timeout=10) as response:
            counts: dict[str, int] = json.load(response)
        return counts


@contextmanager
def running_mock(script: MockScript, port: int = 0) -> Iterator[MockProcess]:
    """Start a mock on a port of 127.0.0.1 (0: a free one) and stop it at the end. It also ends with its parent.

    Raises RuntimeError where it does not start.
    """
    command = [sys.executable, "-m", "tracegauge.mock_llm", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(script.model_dump_json() + "\n")
            process.stdin.flush()
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the mock LLM did not start (exit code {process.wait(_STOP_S)})")
            yield MockProcess(url, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
