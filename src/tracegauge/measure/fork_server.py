"""The fork server: a process that has imported what cells need, and forks a fresh process for each job.

Started as `python -m tracegauge.measure.fork_server`. It reads requests as JSON lines from its standard input and
answers each with a JSON line on its standard output, one at a time.
"""

import json
import os
import select
import signal
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from tracegauge.config.mlflow_environment import set_mlflow_defaults


@dataclass(frozen=True)
class Request:
    """Run a job in a fresh process."""

    job: str
    """File with the job as JSON."""
    answer: str
    """File that the answer is written to."""
    log: str
    """File that takes what the job prints."""
    timeout_s: float


@dataclass(frozen=True)
class Ended:
    """How the process ended."""

    status: int
    """As `os.waitstatus_to_exitcode` has it: negative for a signal."""
    timed_out: bool


def serve() -> None:
    """Import, then answer requests until the input ends."""
    set_mlflow_defaults()
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    _preload()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in requests:
        ended = _run(Request(**json.loads(line)))
        print(json.dumps(asdict(ended)), file=answers, flush=True)


def _preload() -> None:
    import langgraph.graph  # noqa: F401
    import mlflow
    import mlflow.langchain
    import mlflow.store.tracking.sqlalchemy_store
    import mlflow.tracking  # noqa: F401

    import tracegauge.measure.probes.reads
    import tracegauge.measure.probes.store_counts
    import tracegauge.measure.worker  # noqa: F401

    if threading.active_count() != 1:
        # A fork copies only the calling thread: locks that others hold would stay locked for ever in the child.
        names = ", ".join(thread.name for thread in threading.enumerate())
        raise RuntimeError(f"threads run after the imports, a fork would not be safe: {names}")


def _run(request: Request) -> Ended:
    pid = os.fork()
    if pid == 0:
        _child(request)
    timed_out = not _ends_within(pid, request.timeout_s)
    if timed_out:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), timed_out)


def _ends_within(pid: int, timeout_s: float) -> bool:
    """Wait without polling, which would take CPU time from the cell that is being measured."""
    pidfd = os.pidfd_open(pid)
    try:
        return bool(select.select([pidfd], [], [], timeout_s)[0])
    finally:
        os.close(pidfd)


def _child(request: Request) -> None:
    """Never returns. Exit handlers are not run: everything is flushed, and some of them wait a second for nothing."""
    from pydantic import TypeAdapter

    from tracegauge.measure.job import Job
    from tracegauge.measure.worker import run_job
    from tracegauge.results.files import write_atomically

    log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        job: Job = TypeAdapter(Job).validate_json(Path(request.job).read_bytes())
        answer = run_job(job)
        write_atomically(Path(request.answer), answer.model_dump_json())
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    serve()
