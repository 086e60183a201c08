"""Judgements a second: ours beside a bare loop of HTTP calls and MLflow's own evaluate().

All ask one mock with the same judge about the same traces, in turn, several times. Ours and MLflow's also read the
traces from a local SQLite store and write the assessments; each has a fresh copy of the store in each round.
"""

import asyncio
import contextlib
import io
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx
import mlflow
from judging_store import fill
from mlflow.genai.judges import make_judge

from tracegauge.config.judge_files import read_judge
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.judging.engine.settings import FOR_A_RUN
from tracegauge.judging.engine.work import Work
from tracegauge.mock_llm import MockScript, running_mock
from tracegauge.tracking.compat import tracking_uri
from tracegauge.tracking.environment import environment

MODEL = "openai:/mock-judge"
QUESTION = "Is {{ outputs }} a good answer to {{ inputs }}?"
JUDGE = f"""\
schema_version: "1.0"
kind: llm
name: good
model: {MODEL}
base_url: {{url}}
instructions: "{QUESTION.replace("{", "{{").replace("}", "}}")}"
"""
CONCURRENCY = FOR_A_RUN.concurrency
LIKE_OURS = {"MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0", "MLFLOW_GENAI_EVAL_MAX_WORKERS": str(CONCURRENCY)}
"""MLflow without its usual limit (10 calls a second at first, 20 at most, as of 3.17), and as many workers."""
HEAD = (
    *("round", "bare loop, calls/s", "`judge run`, judgements/s", "of the bare loop"),
    *("`evaluate()` as it is", f"`evaluate()` without limit, {CONCURRENCY} workers"),
)


def measure_speed(traces: int, latency_ms: float, rounds: int) -> None:
    """Print a row for each round as soon as it is known."""
    print(f"{traces:,} traces, {latency_ms:g} ms, {CONCURRENCY} calls at a time; MLflow {mlflow.__version__}\n")
    print(f"| {' | '.join(HEAD)} |\n{'|---' * len(HEAD)}|", flush=True)
    with tempfile.TemporaryDirectory() as text, running_mock(MockScript(latency_ms=latency_ms)) as mock:
        folder = Path(text)
        fill(folder / "template.db", traces)
        for number in range(1, rounds + 1):
            bare = traces / asyncio.run(_bare_loop(mock.url, traces))
            ours = traces / _ours(_fresh(folder, f"ours{number}"), mock.url, traces)
            usual = traces / _mlflows(_fresh(folder, f"usual{number}"), mock.url, traces, {})
            alike = traces / _mlflows(_fresh(folder, f"alike{number}"), mock.url, traces, LIKE_OURS)
            cells = (f"{bare:.1f}", f"{ours:.1f}", f"{ours / bare:.0%}", f"{usual:.1f}", f"{alike:.1f}")
            print(f"| {number} | {' | '.join(cells)} |", flush=True)


def _fresh(folder: Path, name: str) -> Path:
    return Path(shutil.copy(folder / "template.db", folder / f"{name}.db"))


async def _bare_loop(url: str, count: int) -> float:
    """Seconds for so many requests that are like those of the judge."""
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


def _ours(database: Path, url: str, count: int) -> float:
    """Seconds for all traces, from the search for them to the last assessment in the store."""
    spec = read_judge(parse_yaml(JUDGE.format(url=url), "judge.yaml"))
    work = Work({spec.name: spec}, f"sqlite:///{database}")
    began = time.perf_counter()
    work.run()
    took = time.perf_counter() - began
    _check(database, count)
    return took


def _mlflows(database: Path, url: str, count: int, settings: Mapping[str, str]) -> float:
    """The same with what MLflow offers."""
    judge = make_judge(name="good", instructions=QUESTION, model=MODEL, feedback_value_type=bool)
    variables = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", **settings}
    with environment(variables), tracking_uri(f"sqlite:///{database}"), contextlib.redirect_stdout(io.StringIO()):
        mlflow.get_experiment("0")  # opens the store
        began = time.perf_counter()
        traces = mlflow.search_traces(locations=["0"], max_results=count)
        mlflow.genai.evaluate(data=traces, scorers=[judge])
        took = time.perf_counter() - began
    _check(database, count)
    return took


def _check(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as store:
        query = "SELECT count(DISTINCT trace_id) FROM assessments WHERE name = 'good' AND value IN ('true', 'false')"
        [scored] = store.execute(query).fetchone()
    if scored != count:
        raise SystemExit(f"only {scored} of {count} were scored")
