"""Seconds from the end of a trace to its assessment in the store, while `judge watch` runs."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
import numpy as np
from judging_store import fill

from tracegauge.mock_llm import MockScript, running_mock
from tracegauge.tracking.compat import tracking_uri

JUDGE = """\
schema_version: "1.0"
kind: llm
name: good
model: openai:/mock-judge
base_url: {url}
instructions: "Is {{{{ outputs }}}} a good answer to {{{{ inputs }}}}?"
"""
LONGEST_S = 20.0
"""Traces last up to so long, so that they do not end in the order in which they began."""
PATIENCE_S = 60.0
START_S = 60.0


def measure_lag(seconds: float, rate: float, latency_ms: float, backlog: int) -> None:
    """Print the lag of the traces that MLflow recorded meanwhile."""
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"  # a trace is in the store when it has ended
    with tempfile.TemporaryDirectory() as text, running_mock(MockScript(latency_ms=latency_ms)) as mock:
        folder = Path(text)
        uri = fill(folder / "mlflow.db", max(1, backlog))
        (folder / "judges").mkdir()
        (folder / "judges" / "good.yaml").write_text(JUDGE.format(url=mock.url))
        with tracking_uri(uri), _watching(folder, uri):
            ended_ms = _record(seconds, rate)
            lags = _lags(folder, ended_ms)
    print("| traces | a second | due before | without assessment | lag p50 | p95 | longest |")
    print("|---|---|---|---|---|---|---|")
    p50, p95, longest = np.percentile(lags, [50, 95, 100])
    counts = f"| {len(ended_ms)} | {rate:g} | {backlog:,} | {len(ended_ms) - len(lags)} "
    print(counts + f"| {p50:.1f} s | {p95:.1f} s | {longest:.1f} s |")


@contextmanager
def _watching(folder: Path, uri: str):
    """`judge watch` in a process of its own, from its first assessment on."""
    command = [sys.executable, "-m", "tracegauge", "judge", "watch", str(folder / "judges"), "--store", uri]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + START_S
            while not _scored(folder):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("`judge watch` did not begin")
                time.sleep(0.2)
            yield
        finally:
            process.send_signal(signal.SIGINT)


def _record(seconds: float, rate: float) -> dict[str, int]:
    """Begin and end traces; when each ended, in milliseconds since 1970, by its id."""
    chance = random.Random(0)
    began = time.monotonic()
    moments = sorted(
        (at + wait, number, what)
        for number in range(int(seconds * rate))
        for at in [number / rate]
        for what, wait in (("begin", 0.0), ("end", chance.uniform(0, LONGEST_S)))
    )
    spans, ended_ms = {}, {}
    for at, number, what in moments:
        time.sleep(max(0.0, began + at - time.monotonic()))
        if what == "begin":
            spans[number] = mlflow.start_span_no_context("agent", inputs={"question": f"What is thing {number}?"})
        else:
            ended_ms[spans[number].trace_id] = int(time.time() * 1000)
            spans.pop(number).end(outputs={"answer": f"It is thing {number}."})
    return ended_ms


def _lags(folder: Path, ended_ms: dict[str, int]) -> list[float]:
    """Seconds; of those that were scored within a minute of the last."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        scored = _scored(folder)
        if ended_ms.keys() <= scored.keys() or time.monotonic() > deadline:
            return [(scored[one] - at) / 1000 for one, at in ended_ms.items() if one in scored]
        time.sleep(0.5)


def _scored(folder: Path) -> dict[str, int]:
    """When the assessment of each trace was in the store: noted in the ledger right after it was."""
    ledger = folder / "mlflow.db.judge-ledger.db"
    if not ledger.exists():
        return {}
    try:
        with closing(sqlite3.connect(ledger, timeout=30)) as connection:
            return dict(connection.execute("SELECT unit, updated_ms FROM entries WHERE state = 'scored'"))
    except sqlite3.OperationalError:  # it is being made
        return {}
