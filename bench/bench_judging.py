"""How fast judging is beside a bare loop of HTTP calls, on one mock endpoint in a process of its own.

Both do the same requests with the same concurrency, in turn, several times; judging also reads the traces, keeps its
ledger and writes the assessments. `python bench/bench_judging.py --traces 2000 --latency-ms 200`
"""

import argparse
import asyncio
import tempfile
import time
import uuid
from pathlib import Path

import httpx
from mlflow.entities import Trace
from mlflow.tracing.client import TracingClient

from tracegauge.config.judge_files import read_judge
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.judging.engine.work import Work
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example
from tracegauge.mock_llm import MockScript, running_mock
from tracegauge.tracking.compat.sql_store import one_transaction

CONCURRENCY = 32
"""That of the engine."""
JUDGE = """\
schema_version: "1.0"
kind: llm
name: good
model: openai:/mock-judge
base_url: {url}
instructions: "Is {{{{ outputs }}}} a good answer to {{{{ inputs }}}}? ({mark})"
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--traces", type=int, default=2000)
    options.add_argument("--latency-ms", type=float, default=200.0)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_mock(MockScript(latency_ms=given.latency_ms)) as mock:
        uri = f"sqlite:///{folder}/mlflow.db"
        _fill(uri, given.traces)
        print("round  bare loop/s  judging/s  share")
        for number in range(given.rounds):
            bare = given.traces / asyncio.run(_bare_loop(mock.url, given.traces))
            judged = given.traces / _judging(uri, mock.url, given.traces, Path(folder) / f"{number}.db")
            print(f"{number + 1:5}  {bare:11.1f}  {judged:9.1f}  {judged / bare:5.0%}", flush=True)


def _fill(uri: str, count: int) -> None:
    real = TracingClient(uri).store
    traces: list[Trace] = []
    for number in range(count):
        parts = {"inputs": f"What is item {number}?", "outputs": f"It is item {number}.", "source": "synthetic"}
        traces += traces_of(Example.model_validate({"item": f"i{number}", "label": True, **parts}))
    now = int(time.time() * 1000)
    with one_transaction(real) as store:
        for number, trace in enumerate(traces):
            trace.info.request_time = now - count + number
            store.start_trace(trace.info)
            store.log_spans("0", trace.data.spans)


def _judging(uri: str, url: str, count: int, ledger: Path) -> float:
    """Seconds for all traces; each round has a judge with a digest of its own, so that all are due."""
    spec = read_judge(parse_yaml(JUDGE.format(url=url, mark=uuid.uuid4().hex), "judge.yaml"))
    work = Work({spec.name: spec}, uri, ledger=ledger)
    began = time.perf_counter()
    [run] = work.run()
    took = time.perf_counter() - began
    if run.counts["scored"] != count:
        raise SystemExit(f"only {run.counts['scored']} of {count} were scored")
    return took


async def _bare_loop(url: str, count: int) -> float:
    numbers = iter(range(count))
    schema = {"type": "object", "properties": {"rationale": {"type": "string"}, "result": {"type": "boolean"}}}
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}}

    async def worker(http: httpx.AsyncClient) -> None:
        for number in numbers:
            message = {"role": "user", "content": f"Is 'It is item {number}.' a good answer?"}
            body = {"model": "mock-judge", "messages": [message], "response_format": form}
            (await http.post(f"{url}/chat/completions", json=body)).raise_for_status()

    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http:
        began = time.perf_counter()
        await asyncio.gather(*(worker(http) for _ in range(CONCURRENCY)))
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
