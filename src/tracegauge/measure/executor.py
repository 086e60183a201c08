"""The executor: runs jobs in fresh processes, by way of a fork server."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tracegauge.measure.fork_server import Ended, Request
from tracegauge.measure.job import Answer, Job
from tracegauge.measure.software import HERE, Software
from tracegauge.results import Failure

FORK_SERVER = "tracegauge.measure.fork_server"
"""The module that workers are forked from, as it stands in their command lines."""
_LOG_TAIL = 4000
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)(?::|$)")


class ExecutorError(Exception):
    """The fork server could not be started or has died; nothing can be measured."""


class Executor:
    """Runs one job at a time. A context manager: leaving it, in whatever way, ends all processes that it started."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, software: Software = HERE) -> None:
        """`folder` takes jobs, answers and logs; `environment` is added to this process's own."""
        self._folder = folder
        self._software = software
        self._environment = {**os.environ, **software.environment, **(environment or {})}
        self._server: subprocess.Popen[str] | None = None
        self._jobs = 0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:  # Ctrl-C while the server imports: nobody else would end it
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(self, job: Job, timeout_s: float) -> Answer:
        """Do the job in a fresh process. A crash or a timeout is an answer too, with its failure."""
        self._jobs += 1
        base = self._folder / f"job-{self._jobs}"
        request = Request(f"{base}.json", f"{base}.answer.json", f"{base}.log", timeout_s)
        Path(request.job).write_text(job.model_dump_json())
        ended = Ended(**self._ask(asdict(request)))
        if ended.timed_out:
            message = f"took longer than {timeout_s:g} s and was ended"
            return Answer(failures=(Failure(kind="timed_out", message=message, detail=_tail(request.log)),))
        if ended.status != 0:
            return Answer(failures=(_crash(ended.status, _tail(request.log)),))
        return Answer.model_validate_json(Path(request.answer).read_bytes())

    def _start(self) -> None:
        log = self._folder / "fork-server.log"
        with log.open("ab") as errors:
            self._server = subprocess.Popen(
                [self._software.interpreter, "-m", FORK_SERVER],
                cwd=self._software.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self._environment,
                start_new_session=True,  # Ctrl-C reaches only us, and we end the server with its cells
            )
        try:
            self._read()
        except ExecutorError as error:
            raise ExecutorError(f"the worker processes could not be started:\n{_tail(str(log))}") from error

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._server is None or self._server.stdin is None:
            raise ExecutorError("the executor is not open")
        try:
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
        except BrokenPipeError as error:
            raise ExecutorError("the fork server has died") from error
        return self._read()

    def _read(self) -> dict[str, Any]:
        if self._server is None or self._server.stdout is None:
            raise ExecutorError("the executor is not open")
        line = self._server.stdout.readline()
        if not line:
            raise ExecutorError(f"the fork server has died with status {self._server.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)  # the group is the server's own: it leads its session
        server.wait()
        for pipe in (server.stdin, server.stdout):
            if pipe:
                pipe.close()


def _crash(status: int, log: str) -> Failure:
    if status < 0:
        message = f"the worker process was killed by {signal.Signals(-status).name}"
    else:
        # The error is the last line of the log, but for notes that are added to it, as LangGraph adds the task's name.
        lines = log.strip().splitlines()
        error = next((line for line in reversed(lines) if _ERROR.match(line)), lines[-1] if lines else None)
        message = f"the worker process failed: {error}" if error else f"the worker process exited with {status}"
    return Failure(kind="crashed", message=message, detail=log or None)


def _tail(log: str) -> str:
    try:
        return Path(log).read_text(errors="replace")[-_LOG_TAIL:]
    except FileNotFoundError:
        return ""
