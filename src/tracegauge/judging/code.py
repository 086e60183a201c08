"""Judges that are Python functions over a trace.

The function runs in a process of its own, one per judge. A function that never returns can only be ended from outside:
a thread would stay, and a busy loop in it would slow down every other judge. The process is kept for the next trace and
replaced after a timeout; starting one costs about a second, judging a trace about a millisecond more than in a thread.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any, ClassVar

from mlflow.entities import Trace

from tracegauge.config.judge import CodeJudge
from tracegauge.judging.answer import OutOfTypeError, fitting
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Scored, Usage

_START_S = 60.0
_LONGEST_LINE = 256 * 1024 * 1024


class FunctionJudge(Judge):
    """A function that is called with a trace and its parameters."""

    spec: CodeJudge
    source_type: ClassVar[str] = "CODE"

    def __init__(self, spec: CodeJudge) -> None:
        super().__init__(spec)
        self._lock = asyncio.Lock()
        self._worker: Process | None = None

    def content(self, traces: Sequence[Trace]) -> Content:
        """The trace itself."""
        return Content(traces=tuple(traces[-1:]))

    def estimate(self, content: Content) -> Usage:  # noqa: ARG002
        """Nothing: no model is asked."""
        return NOTHING_USED

    async def judge(self, content: Content) -> Judgement:
        """Call the function; one trace at a time."""
        if not content.traces:
            return Failed(kind="no_content", message="there is no trace")
        request = json.dumps({"trace": content.traces[0].to_json()}).encode() + b"\n"
        async with self._lock:
            try:
                return await self._judge(request)
            except BaseException:
                await self.aclose()
                raise

    async def aclose(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()

    async def _judge(self, request: bytes) -> Judgement:
        try:
            worker = await self._ready_worker()
        except _WorkerError as error:
            return Failed(kind="raised", message=str(error))
        began_ns = time.perf_counter_ns()
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                said = await _call(worker, request)
        except TimeoutError:
            await self.aclose()
            message = f"{self.spec.function} did not return within {self.spec.timeout_s:g} s"
            return Failed(kind="timed_out", message=message)
        except _WorkerError as error:
            await self.aclose()
            return Failed(kind="raised", message=f"{self.spec.function}: {error}")
        return self._judgement(said, time.perf_counter_ns() - began_ns)

    def _judgement(self, said: dict[str, Any], latency_ns: int) -> Judgement:
        if said["error"]:
            return Failed(kind="raised", message=f"{self.spec.function}: {said['error']}", latency_ns=latency_ns)
        try:
            value = fitting(said["value"], self.spec.value)
        except OutOfTypeError as error:
            return Failed(kind="out_of_type", message=f"{self.spec.function}: {error}", latency_ns=latency_ns)
        return Scored(value=value, rationale=said["rationale"], latency_ns=latency_ns)

    async def _ready_worker(self) -> Process:
        """The process, started if there is none. Raises _WorkerError where the function can't be imported."""
        if self._worker is not None and self._worker.returncode is None:
            return self._worker
        self._worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tracegauge.judging.code_worker"),
            stdin=PIPE,
            stdout=PIPE,
            limit=_LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        setup = {"function": self.spec.function, "parameters": self.spec.parameters}
        try:
            async with asyncio.timeout(_START_S):
                said = await _call(self._worker, json.dumps(setup).encode() + b"\n")
        except TimeoutError:
            await self.aclose()
            raise _WorkerError(f"importing {self.spec.function} took more than {_START_S:g} s") from None
        except _WorkerError:
            await self.aclose()
            raise
        if said["error"]:
            await self.aclose()
            raise _WorkerError(said["error"])
        return self._worker


class _WorkerError(Exception):
    """The process of a function ended, or could not begin."""


async def _call(worker: Process, request: bytes) -> dict[str, Any]:
    assert worker.stdin
    assert worker.stdout
    try:
        worker.stdin.write(request)
        await worker.stdin.drain()
        line = await worker.stdout.readline()
    except (BrokenPipeError, ConnectionResetError):
        line = b""
    if not line:
        raise _WorkerError(f"its process ended with exit code {await worker.wait()}")
    answer: dict[str, Any] = json.loads(line)
    return answer
