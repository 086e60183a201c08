"""The most memory that `judge run` takes: with one judge that asks a model and one that is code."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from judging_store import fill

from tracegauge.mock_llm import MockScript, running_mock

JUDGES = {
    "good": """\
schema_version: "1.0"
kind: llm
name: good
model: openai:/mock-judge
base_url: {url}
instructions: "Is {{{{ outputs }}}} a good answer to {{{{ inputs }}}}?"
""",
    "quick": """\
schema_version: "1.0"
kind: code
name: quick
function: tracegauge.judging.code_judges.latency_budget:check
parameters: {{total_ms: 10000}}
""",
}
EVERY_S = 0.2


def measure_memory(counts: Sequence[int]) -> None:
    """Print a row for each number of traces."""
    print("| traces | judgements/s | most memory, its process | and the code judge's |\n|---|---|---|---|", flush=True)
    for count in counts:
        with tempfile.TemporaryDirectory() as text, running_mock(MockScript()) as mock:
            folder = Path(text)
            uri = fill(folder / "mlflow.db", count)
            (folder / "judges").mkdir()
            for name, judge in JUDGES.items():
                (folder / "judges" / f"{name}.yaml").write_text(judge.format(url=mock.url))
            began = time.perf_counter()
            own, others = _peaks([str(folder / "judges"), "--store", uri], count)
            speed = len(JUDGES) * count / (time.perf_counter() - began)
            print(f"| {count:,} | {speed:.0f} | {own / 1e6:.0f} MB | {others / 1e6:.0f} MB |", flush=True)


def _peaks(arguments: Sequence[str], count: int) -> tuple[int, int]:
    """Bytes of `judge run` and of the processes that it starts.

    The kernel keeps each one's peak (VmHWM), which a fifth of a second before its end is all but final.
    """
    command = [sys.executable, "-m", "tracegauge", "judge", "run", *arguments]
    peaks: dict[int, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            for one in (process.pid, *_children(process.pid)):
                peaks[one] = max(peaks.get(one, 0), _peak(one))
            time.sleep(EVERY_S)
        said = process.communicate()[0]
    if process.returncode or any(f"{name}: {count} scored\n" not in said for name in JUDGES):
        raise SystemExit(f"not everything was scored:\n{said}")
    own = peaks.pop(process.pid)
    return own, sum(peaks.values())


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
