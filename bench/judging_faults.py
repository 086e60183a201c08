"""What judging makes of an endpoint that fails: fault x rate, and a kill -9 in the middle, as a table in Markdown.

    python bench/judging_faults.py                # about five minutes
    python bench/judging_faults.py --traces 32    # a small try

Each row has a fresh store and two judges that see every trace. One asks an endpoint with the fault, the other one an
endpoint without, and that one also runs alone just before: so its delay is known beside the noise of the machine. When
the run has ended the endpoint is mended, and a second run scores what failed.
"""

import argparse
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from judging_store import fill

from tracegauge.config.judge import load_judges
from tracegauge.judging.engine.work import Work
from tracegauge.mock_llm import Fault, MockProcess, MockScript, running_mock

LATENCY_MS = 500.0
"""So long that the calls of two judges, 32 at a time each, do not use up a core."""
RATES = (0.1, 0.5)
FAULTS = {
    "429, Retry-After 1 s": {"kind": "rate_limited", "retry_after_s": 1.0},
    "500": {"kind": "server_error"},
    "hang": {"kind": "hang"},
    "malformed JSON": {"kind": "malformed_json"},
    "wrong type": {"kind": "wrong_type"},
    "slow stream": {"kind": "slow_stream", "duration_s": 10.0},
    "connection reset": {"kind": "reset"},
}
JUDGE = """\
schema_version: "1.0"
kind: llm
name: {name}
model: openai:/mock-judge
base_url: {url}
{more}instructions: "Is {{{{ outputs }}}} a good answer to {{{{ inputs }}}}? ({name})"
"""
IMPATIENT = "timeout_s: 2\nretry: {attempts: 2, first_wait_s: 0.2}\n"
"""Of the judge with the faults, so that they take no minutes; the other one has what judges have by default."""
PATIENCE_S = 120
HEAD = (
    *("fault", "rate", "due", "scored", "failed", "scored by a second run", "doubled", "lost"),
    *("healthy judge alone", "healthy judge beside"),
)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@dataclass
class Bench:
    """A store to copy, an endpoint that works and a port for the one that does not."""

    folder: Path
    template: Path
    traces: int
    healthy_url: str
    port: int = field(default_factory=_free_port)
    alone_s: list[float] = field(default_factory=list)
    """What the healthy judge took alone, before each row."""
    rows: int = 0

    def row(self, *names: str) -> Path:
        """A folder with a fresh store, and judge files of these names."""
        self.rows += 1
        folder = self.folder / str(self.rows)
        (folder / "judges").mkdir(parents=True)
        shutil.copy(self.template, folder / "mlflow.db")
        for name in names:
            url = self.healthy_url if name == "healthy" else f"http://127.0.0.1:{self.port}/v1"
            more = "" if name == "healthy" else IMPATIENT
            (folder / "judges" / f"{name}.yaml").write_text(JUDGE.format(name=name, url=url, more=more))
        return folder

    def faulty_endpoint(self, *faults: Fault) -> AbstractContextManager[MockProcess]:
        """The endpoint of the other judge, at the same address every time."""
        return running_mock(MockScript(latency_ms=LATENCY_MS, faults=faults), self.port)


def main() -> None:
    """Print the table, a row as soon as it is known."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--traces", type=int, default=200)
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as text, running_mock(MockScript(latency_ms=LATENCY_MS)) as healthy:
        folder = Path(text)
        fill(folder / "template.db", given.traces)
        bench = Bench(folder, folder / "template.db", given.traces, healthy.url)
        _line(HEAD)
        _line(["---"] * len(HEAD))
        _row(bench, "none", 0.0, [])
        for name, fault in FAULTS.items():
            for rate in RATES:
                _row(bench, name, rate, [Fault.model_validate({**fault, "rate": rate})])
        every = [Fault.model_validate({**fault, "rate": 0.5 / len(FAULTS)}) for fault in FAULTS.values()]
        _row(bench, "any of these", 0.5, every)
        _killed(bench, every)
    alone = sorted(bench.alone_s)
    print(f"\nhealthy judge alone: median {median(alone):.2f} s, {alone[0]:.2f} to {alone[-1]:.2f} s")
    print(f"{time.monotonic() - began:.0f} s in all")


def _row(bench: Bench, name: str, rate: float, faults: Sequence[Fault]) -> None:
    alone, _ = _run(bench.row("healthy"))
    bench.alone_s.append(alone)
    folder = bench.row("healthy", "faulty")
    with bench.faulty_endpoint(*faults):
        beside, first = _run(folder)
    _mended(bench, folder, name, rate, first, (f"{alone:.2f} s", f"{beside:.2f} s"))


def _run(folder: Path) -> tuple[float, Counter[str]]:
    """Seconds until the healthy judge was done, and what became of the traces of the faulty one."""
    work = Work(load_judges([str(folder / "judges")]), _uri(folder))
    began_ms = time.time() * 1000
    runs = {one.judge: one.counts for one in work.run()}
    with closing(sqlite3.connect(work.ledger)) as ledger:
        [done_ms] = ledger.execute("SELECT max(updated_ms) FROM entries WHERE judge = 'healthy'").fetchone()
    return (done_ms - began_ms) / 1000, runs.get("faulty", Counter())


def _mended(bench: Bench, folder: Path, name: str, rate: float, first: Counter[str], times: Sequence[str]) -> None:
    """Run again where nothing fails any more, and print what both runs came to."""
    with bench.faulty_endpoint():
        _, second = _run(folder)
    stored = _stored(folder)
    doubled = sum(count - 1 for count in stored.values())
    lost = 2 * bench.traces - len(stored)
    _line(
        (name, f"{rate:.0%}", bench.traces, first["scored"], first["failed"], second["scored"], doubled, lost, *times)
    )


def _killed(bench: Bench, faults: Sequence[Fault]) -> None:
    """A `judge run` that is killed when it has stored a third of what the judges are to say."""
    folder = bench.row("healthy", "faulty")
    command = [sys.executable, "-m", "tracegauge", "judge", "run", str(folder / "judges"), "--store"]
    with bench.faulty_endpoint(*faults), subprocess.Popen([*command, _uri(folder)]) as process:
        deadline = time.monotonic() + PATIENCE_S
        while (stored := _stored(folder).total()) < 2 * bench.traces / 3:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the run was to be killed in the middle; it stored {stored}")
            time.sleep(0.02)
        process.kill()
    with closing(sqlite3.connect(f"{folder}/mlflow.db.judge-ledger.db")) as ledger:
        query = "SELECT state, count(*) FROM entries WHERE judge = 'faulty' GROUP BY state"
        first = Counter(dict(ledger.execute(query)))
    _mended(bench, folder, "any of these, and kill -9", 0.5, first, ("", ""))


def _stored(folder: Path) -> Counter[tuple[str, str]]:
    """How many assessments the store has, by trace and judge."""
    with closing(sqlite3.connect(folder / "mlflow.db", timeout=30)) as store:
        return Counter(store.execute("SELECT trace_id, name FROM assessments").fetchall())


def _uri(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def _line(cells: Sequence[object]) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
