"""Which of the traces that are due MLflow's own online scoring reaches, and `tracegauge judge watch` beside it.

    python bench/online_coverage.py --traces 3000 --per-minute 1500          # about 15 minutes, most of it waiting
    python bench/online_coverage.py --traces 60 --buffer-s 0 --still-s 90    # a small try, about four minutes

A real `mlflow server` over SQLite has a gateway endpoint that leads to a mock LLM. Two judges are applied and started
in it: one sees 5% of all traces, the other all of one trace in 30 (a filter on a tag). `judge watch` works with the
same judges on the same server. Then traces come in at a rate: of a LangGraph workflow under autolog, made before, and
written into the server's database as if they began just then. Both have time until neither has scored anything for
`--still-s`, counted from when the last trace has left MLflow's completion buffer. What MLflow should have scored is
told by its own rule of sampling, and what we should have by ours.
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tracegauge.config.mlflow_environment import set_mlflow_defaults
from tracegauge.mock_llm import MockScript, Rule, running_mock

EXPERIMENT = "letters"
WORKFLOW = Path(__file__).parents[1] / "examples" / "article_writer_sqlite.yaml"
TAGGED = 30
"""One trace in so many has the tag that the second judge's filter asks for."""
RATES = {"relevant": 0.05, "careful": 1.0}
JUDGES = {
    "relevant": "instructions: Is {{ outputs }} about what {{ inputs }} asks for?\nsampling: {rate: 0.05}\n",
    "careful": "instructions: Is {{ outputs }} a careful answer to {{ inputs }}?\n"
    "sampling: {rate: 1, filter: \"tag.tier = 'enterprise'\"}\n",
}
HEAD = 'schema_version: "1.0"\nkind: llm\nmodel: gateway:/judge-model\nname: '
# A verdict depends on the trace, so that two who judge the same one can be held against each other.
SCRIPT = MockScript(
    latency_ms=200,
    rules=(
        Rule(match="letter [0-9]*[02468] of", answer={"rationale": "An even one.", "result": True}),
        Rule(match="letter [0-9]+ of", answer={"rationale": "An odd one.", "result": False}),
    ),
)
LOOK_S = 10.0
BATCH = 25
"""Traces are written so many at a time."""


class Counts(NamedTuple):
    """What the server's database holds: asked of it directly, to leave the server alone."""

    assessments: int
    jobs: int
    """Looks of MLflow's online scoring that ended well."""
    failed_jobs: int


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--traces", type=int, default=3000)
    options.add_argument("--per-minute", type=float, default=1500.0, help="how fast traces come, at most")
    options.add_argument("--made", type=Path, help="where the traces are kept between runs, as a database")
    options.add_argument("--buffer-s", type=int, default=300, help="MLflow's completion buffer, 300 s by default")
    options.add_argument("--still-s", type=float, default=240.0, help="so long nothing more is scored by either")
    given = options.parse_args()
    set_mlflow_defaults()
    os.environ.update(
        MLFLOW_CRYPTO_KEK_PASSPHRASE="only for this measurement",
        MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES="https,http",
        MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS="true",
        MLFLOW_ONLINE_SCORING_DEFAULT_TRACE_COMPLETION_BUFFER_SECONDS=str(given.buffer_s),
        OPENAI_API_KEY="mock",
    )
    with tempfile.TemporaryDirectory() as folder, running_mock(SCRIPT) as mock, _server(Path(folder)) as uri:
        made = (given.made or Path(folder) / "made.db").absolute()
        if not made.exists():
            _make_traces(f"sqlite:///{made}", given.traces)
        _make_endpoint(uri, mock.url)
        _apply(Path(folder), uri)
        with _watch(Path(folder), uri):
            began = time.monotonic()
            _send_traces(f"sqlite:///{made}", f"sqlite:///{folder}/mlflow.db", given.per_minute)
            sent = time.monotonic()
            rate = given.traces / (sent - began) * 60
            print(f"{given.traces} traces came in {sent - began:.0f} s, {rate:.0f} a minute", flush=True)
            counts = _until_still(Path(folder) / "mlflow.db", given.buffer_s, given.still_s)
        waited = time.monotonic() - sent
        status = json.loads(_tracegauge(Path(folder), "judge", "status", "judges", "--json", **_on(uri)))
        _print_table(uri, given.traces, {one["judge"]: one for one in status["judges"]})
    print(
        f"MLflow {_mlflow_version()}: its scoring looked {counts.jobs} times ({counts.failed_jobs} failed), with a "
        f"completion buffer of {given.buffer_s} s; both had {waited:.0f} s after the last trace, "
        f"the last {given.still_s:.0f} s of them without a new score"
    )


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=30):
                break
            time.sleep(0.5)
        yield uri
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _make_endpoint(uri: str, mock_url: str) -> None:
    """The gateway endpoint `judge-model`, which leads to the mock."""

    def create(what: str, **body: Any) -> Any:
        address = f"{uri}/api/3.0/mlflow/gateway/{what}/create"
        request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    api = {"secret_value": {"api_key": "mock"}, "auth_config": {"api_base": mock_url}}
    secret = create("secrets", secret_name="mock", provider="openai", **api)["secret"]["secret_id"]
    model = create("model-definitions", name="mock", secret_id=secret, provider="openai", model_name="gpt-4.1-mini")
    link = {"model_definition_id": model["model_definition"]["model_definition_id"], "linkage_type": "PRIMARY"}
    create("endpoints", name="judge-model", model_configs=[{**link, "weight": 1.0}], usage_tracking=False)


def _apply(folder: Path, uri: str) -> None:
    import mlflow

    (folder / "judges").mkdir()
    for name, text in JUDGES.items():
        (folder / "judges" / f"{name}.yaml").write_text(f"{HEAD}{name}\n{text}", encoding="utf-8")
    mlflow.MlflowClient(uri).create_experiment(EXPERIMENT)
    print(_tracegauge(folder, "judge", "apply", "judges", "--start", **_on(uri)), flush=True)


def _on(uri: str) -> dict[str, str]:
    return {"store": uri, "experiment": EXPERIMENT}


def _command(*arguments: str, **options: str) -> list[str]:
    named = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "tracegauge", *arguments, *named]


def _tracegauge(folder: Path, *arguments: str, **options: str) -> str:
    done = subprocess.run(
        _command(*arguments, **options), cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    return done.stdout


@contextlib.contextmanager
def _watch(folder: Path, uri: str) -> Iterator[None]:
    """From when it says that it watches."""
    command = _command("judge", "watch", "judges", **_on(uri))
    watch = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert watch.stderr
    print(watch.stderr.readline(), end="", flush=True)
    try:
        yield
    finally:
        watch.send_signal(signal.SIGINT)
        print(watch.communicate(timeout=120)[1], end="", flush=True)


def _make_traces(uri: str, count: int) -> None:
    """As an application would: autolog, and a delivery that loses nothing."""
    import mlflow

    from tracegauge.tracking import MLFlowTracker
    from tracegauge.workflows import load_workflow

    loaded = load_workflow(str(WORKFLOW))
    config = {"enabled": True, "tracking_uri": uri, "experiment_name": EXPERIMENT}
    config |= {"autolog_enabled": True, "delivery": "lossless"}
    with MLFlowTracker(config) as tracker, tracker.instrument():
        graph = tracker.wrap_nodes(loaded.graph)
        for number in range(count):
            asked = {"topic": f"tidal power, letter {number} of many"}
            with tracker.span(loaded.name, inputs=asked) as span:
                mlflow.update_current_trace(tags={"tier": "basic" if number % TAGGED else "enterprise"})
                span.set_outputs(loaded.invoke_graph(graph, asked))
        tracker.flush(timeout_s=None)


def _send_traces(source: str, target: str, per_minute: float) -> None:
    """Write each into the target when it is due or as soon as that goes, and say that it began just then."""
    from mlflow import MlflowClient
    from mlflow.entities import TraceLocation
    from mlflow.tracing.client import TracingClient

    from tracegauge.tracking.compat.sql_store import one_transaction

    store = TracingClient(target).store
    experiment_id = store.get_experiment_by_name(EXPERIMENT).experiment_id
    began, sent = time.time(), 0
    for page in _pages(MlflowClient(source), include_spans=True):
        for first in range(0, len(page), BATCH):
            batch = page[first : first + BATCH]
            # All of a batch are there when the last one of it is due.
            time.sleep(max(0.0, began + 60 * (sent + len(batch)) / per_minute - time.time()))
            now_ms = int(1000 * time.time())
            with one_transaction(store) as open_store:
                for number, trace in enumerate(batch):
                    trace.info.tags = {"tier": trace.info.tags["tier"]}  # MLflow's own are written again
                    trace.info.request_time = now_ms + number
                    trace.info.trace_location = TraceLocation.from_experiment_id(experiment_id)
                    open_store.start_trace(trace.info)
                    open_store.log_spans(experiment_id, trace.data.spans)
            sent += len(batch)


def _until_still(database: Path, buffer_s: float, still_s: float) -> Counts:
    """Until nothing has been scored for so long after the buffer; tells what comes meanwhile."""
    last = _counts(database)
    quiet_until = time.monotonic() + buffer_s + still_s
    while time.monotonic() < quiet_until:
        time.sleep(LOOK_S)
        now = _counts(database)
        if now.assessments != last.assessments:
            print(f"{now.assessments} assessments, {now.jobs} looks of MLflow's scoring", flush=True)
            quiet_until = max(quiet_until, time.monotonic() + still_s)
        last = now
    return last


def _counts(database: Path) -> Counts:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as connection:
        scored = connection.execute("SELECT count(*) FROM assessments").fetchone()[0]
        jobs = connection.execute(
            "SELECT coalesce(sum(status = 2), 0), coalesce(sum(status IN (3, 4)), 0) FROM jobs"
            " WHERE job_name = 'run_online_trace_scorer'"
        ).fetchone()
    return Counts(scored, *jobs)


def _print_table(uri: str, count: int, statuses: dict[str, Any]) -> None:
    from mlflow import MlflowClient

    infos = [trace.info for page in _pages(MlflowClient(uri), include_spans=False) for trace in page]
    if len(infos) != count:
        raise SystemExit(f"{len(infos)} traces are in the store, not {count}")
    print("\n| judge | due to MLflow | it scored | due to us | we scored | scored by both | agree | doubled |")
    print("|---|---|---|---|---|---|---|---|")
    for name in JUDGES:
        fitting = [one.trace_id for one in infos if name == "relevant" or one.tags["tier"] == "enterprise"]
        due = {trace_id for trace_id in fitting if _sampled_by_mlflow(trace_id, name)}
        theirs, ours = _verdicts(infos, name, ours=False), _verdicts(infos, name, ours=True)
        if not theirs.keys() <= due:
            raise SystemExit(f"{name}: MLflow scored traces that its own rule leaves out")
        both = theirs.keys() & ours.keys()
        agree = sum(theirs[one][0] == ours[one][0] for one in both)
        doubled = sum(len(values) > 1 for one in (theirs, ours) for values in one.values())
        status = statuses[name]
        scored = f"{len(theirs)} ({len(theirs) / len(due):.0%})"
        print(
            f"| {name}, {RATES[name]:.0%} of {len(fitting)} | {len(due)} | {scored} | {status['due']} "
            f"| {len(ours)} ({len(ours) / status['due']:.0%}) | {len(both)} | {agree} | {doubled} |"
        )
    print()


def _pages(client: Any, *, include_spans: bool) -> Iterator[list[Any]]:
    """The traces of the experiment."""
    experiment_id, token = client.get_experiment_by_name(EXPERIMENT).experiment_id, None
    while True:
        page = client.search_traces(
            locations=[experiment_id], max_results=100, page_token=token, include_spans=include_spans
        )
        yield list(page)
        token = page.token
        if not token:
            return


def _verdicts(infos: list[Any], name: str, *, ours: bool) -> dict[str, list[Any]]:
    """Values by trace id: ours have our judge's digest beside them. Errors are no verdicts."""
    found: dict[str, list[Any]] = {}
    errors = Counter[str]()
    for info in infos:
        for one in info.assessments:
            if one.name == name and ("tracegauge.judge_digest" in (one.metadata or {})) == ours:
                if one.feedback.error is None:
                    found.setdefault(info.trace_id, []).append(one.feedback.value)
                else:
                    errors[str(one.feedback.error.error_message).partition("\n")[0][:200]] += 1
    for message, times in errors.items():
        print(f"{name}, {'ours' if ours else 'of MLflow'}: {times} failed: {message}", file=sys.stderr)
    return found


def _sampled_by_mlflow(trace_id: str, name: str) -> bool:
    """By the rule of MLflow's own sampler, for a judge that is the only one with its filter."""
    number = int(hashlib.sha256(f"{trace_id}:{name}".encode()).hexdigest(), 16)
    return number / 2**256 <= RATES[name]


def _mlflow_version() -> str:
    import mlflow

    return str(mlflow.__version__)


if __name__ == "__main__":
    main()
