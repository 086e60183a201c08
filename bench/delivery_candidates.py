"""Ways to bring traces to a SQLite store, measured beside each other in one interleaved run.

    python bench/delivery_candidates.py                              # 3 blocks of 300 invocations, 1 and 8 callers
    python bench/delivery_candidates.py --invocations 40 --blocks 1  # a small try

Each candidate is measured in a process of its own on a fresh store, in an order that changes from block to block. OTLP
needs `pip install opentelemetry-exporter-otlp-proto-http`, and is left out, in words, where that is missing.
"""

import argparse
import contextlib
import importlib.util
import itertools
import multiprocessing
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import psutil

WARMUPS = 3
WORKFLOW = Path(__file__).parents[1] / "examples" / "article_writer_sqlite.yaml"


@dataclass(frozen=True)
class Candidate:
    """One way."""

    name: str
    delivery: str
    environment: dict[str, str] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    """Of the courier."""
    flush_every: int | None = None
    otlp: bool = False
    """Spans go to an MLflow server beside the store, in a process of its own; its CPU time counts."""


CANDIDATES = (
    Candidate("mlflow, as it comes", "mlflow"),
    Candidate("mlflow, 1 worker", "mlflow", {"MLFLOW_ASYNC_TRACE_LOGGING_MAX_WORKERS": "1"}),
    Candidate("mlflow, queue of 20,000", "mlflow", {"MLFLOW_ASYNC_TRACE_LOGGING_MAX_QUEUE_SIZE": "20000"}),
    Candidate("mlflow, flushed every 20 traces", "mlflow", flush_every=20),
    Candidate("bulk writer, 10 a batch", "lossless", constants={"LOCAL_BATCH": 10}),
    Candidate("bulk writer, 50 a batch", "lossless"),
    Candidate("bulk writer, 200 a batch", "lossless", constants={"LOCAL_BATCH": 200}),
    Candidate("bulk writer, 200 a batch, waiting 2 s", "lossless", constants={"LOCAL_BATCH": 200, "LINGER_S": 2.0}),
    Candidate("bulk writer, 50 a batch, without rest", "lossless", constants={"REST": 0}),
    Candidate("OTLP to a local server", "mlflow", otlp=True),
    Candidate("OTLP, queue of 200,000 spans", "mlflow", {"OTEL_BSP_MAX_QUEUE_SIZE": "200000"}, otlp=True),
)


@dataclass(frozen=True)
class Found:
    """What one process measured."""

    p50_ms: float
    mean_ms: float
    burst_s: float
    drain_s: float
    cpu_s: float
    stored: int = 0


def main() -> None:
    """Measure all candidates and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invocations", type=int, default=300)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--only", default="", help="measure candidates whose names match this")
    given = parser.parse_args()
    chosen = [candidate for candidate in CANDIDATES if re.search(given.only, candidate.name)]
    if any(one.otlp for one in chosen) and not can_export_otlp():
        print("OTLP is left out: pip install opentelemetry-exporter-otlp-proto-http", file=sys.stderr)
        chosen = [one for one in chosen if not one.otlp]
    found: dict[tuple[str, int], list[Found]] = {}
    with tempfile.TemporaryDirectory() as folder:
        empty = make_empty_database(Path(folder))
        for block in range(given.blocks):
            cells = [(candidate, callers) for candidate in chosen for callers in given.callers]
            random.Random(block).shuffle(cells)
            for number, (candidate, callers) in enumerate(cells):
                place = Path(folder, f"{block}-{number}")
                place.mkdir()
                shutil.copy(empty, place / "mlflow.db")
                measured = measure_in_child(candidate, place, given.invocations, callers)
                found.setdefault((candidate.name, callers), []).append(measured)
                print(f"block {block}: {candidate.name}, {callers}: {measured}", file=sys.stderr)
    print_table(found, given.invocations)


def make_empty_database(folder: Path) -> Path:
    """MLflow's schema takes seconds to create: once is enough."""
    code = f"import mlflow; mlflow.MlflowClient('sqlite:///{folder}/mlflow.db').search_experiments()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return folder / "mlflow.db"


def can_export_otlp() -> bool:
    """Whether OpenTelemetry's exporter is installed; MLflow doesn't require it."""
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:
        return False


def measure_in_child(candidate: Candidate, folder: Path, invocations: int, callers: int) -> Found:
    """One cell, in a fresh process that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow.langchain", "tracegauge.tracking", "tracegauge.workflows"])
    with local_server(folder) if candidate.otlp else contextlib.nullcontext({}) as environment:
        candidate = replace(candidate, environment={**candidate.environment, **environment})
        with context.Pool(1) as process:
            found = process.apply(measure, (candidate, folder, invocations, callers))
    return replace(found, stored=stored_traces(folder / "mlflow.db"))


@contextlib.contextmanager
def local_server(folder: Path) -> Iterator[dict[str, str]]:
    """An MLflow server on the folder's store; yields the environment of a process that sends its spans there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *options],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError("the server did not start")
        yield {
            "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{port}/v1/traces",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-mlflow-experiment-id=0",
            "SERVER_PID": str(server.pid),
        }
    finally:
        for process in [*psutil.Process(server.pid).children(recursive=True), server]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        server.wait(60)


def measure(candidate: Candidate, folder: Path, invocations: int, callers: int) -> Found:
    """In the child: warm up, burst, drain."""
    from tracegauge.measure.burst import run_burst
    from tracegauge.workflows import load_workflow

    os.chdir(folder)
    os.environ.update(candidate.environment)
    workflow = load_workflow(str(WORKFLOW))
    inputs = list(workflow.inputs[:1]) * invocations
    with tracing(candidate, folder) as flush:
        for _ in range(WARMUPS):
            workflow.graph.invoke(inputs[0])
        flush()
        cpu = cpu_s()
        burst = run_burst(flushing_every(candidate.flush_every, flush, workflow.graph.invoke), inputs, callers)
        started = time.perf_counter()
        flush()
        drain_s = time.perf_counter() - started
        cpu = cpu_s() - cpu
    if burst.error:
        raise RuntimeError(burst.error.message)
    latencies = [one / 1e6 for one in burst.latency_ns]
    return Found(median(latencies), mean(latencies), burst.wall_ns / 1e9, drain_s, cpu)


def cpu_s() -> float:
    """Of this process, and of the server and its workers where there is one."""
    total = time.process_time()
    if pid := os.environ.get("SERVER_PID"):
        server = psutil.Process(int(pid))
        for process in [server, *server.children(recursive=True)]:
            times = process.cpu_times()
            total += times.user + times.system
    return total


@contextlib.contextmanager
def tracing(candidate: Candidate, folder: Path) -> Iterator[Callable[[], object]]:
    """Autolog, brought to the store in the candidate's way; yields what waits until all is brought."""
    from tracegauge.tracking import MLFlowTracker
    from tracegauge.tracking.delivery import courier, store_writer

    if candidate.otlp:
        import mlflow
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider

        provider = TracerProvider()
        trace.set_tracer_provider(provider)  # MLflow adds its processor, which can be flushed only so
        mlflow.langchain.autolog()
        yield lambda: provider.force_flush(600_000)
        return
    for name, value in candidate.constants.items():
        setattr(store_writer if hasattr(store_writer, name) else courier, name, value)
    uri = f"sqlite:///{folder}/mlflow.db"
    settings = {"enabled": True, "tracking_uri": uri, "delivery": candidate.delivery, "autolog_enabled": True}
    with MLFlowTracker(settings) as tracker, tracker.instrument():
        yield lambda: tracker.flush(None)


def flushing_every(count: int | None, flush: Callable[[], object], invoke: Callable[..., Any]) -> Callable[..., Any]:
    """The invocation that flushes after each `count`-th, as an application might that wants to lose nothing."""
    if count is None:
        return invoke
    done = itertools.count(1)

    def flushing(*args: Any) -> Any:
        result = invoke(*args)
        if next(done) % count == 0:
            flush()
        return result

    return flushing


def stored_traces(database: Path) -> int:
    """Traces whose root has ended and that have as many spans as any, without those of the warm-up."""
    query = """
        with traces as (
            select count(*) as spans, sum(parent_span_id is null and end_time_unix_nano is not null) as roots
            from spans group by trace_id
        )
        select count(*) from traces where roots = 1 and spans = (select max(spans) from traces)
    """
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        return int(connection.execute(query).fetchone()[0]) - WARMUPS


def print_table(found: dict[tuple[str, int], list[Found]], invocations: int) -> None:
    """Medians over the blocks, as Markdown."""
    print("| candidate | callers | latency p50 / mean | drain / burst | CPU per stored trace | stored |")
    print("|---|---|---|---|---|---|")
    for (name, callers), blocks in sorted(
        found.items(), key=lambda item: [c.name for c in CANDIDATES].index(item[0][0])
    ):
        p50, mean_ms = (median(getattr(one, key) for one in blocks) for key in ("p50_ms", "mean_ms"))
        drain = median(one.drain_s / one.burst_s for one in blocks)
        cpu = median(1000 * one.cpu_s / max(1, one.stored) for one in blocks)
        stored = ", ".join(str(one.stored) for one in blocks)
        latency = f"{p50:.1f} / {mean_ms:.1f} ms"
        print(f"| {name} | {callers} | {latency} | {drain:.1f} | {cpu:.0f} ms | {stored} of {invocations} |")


if __name__ == "__main__":
    main()
