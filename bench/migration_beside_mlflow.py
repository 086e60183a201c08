"""Time and peak memory of `tracegauge migrate` beside `mlflow migrate-filestore`, on the same clean store, in pairs.

    python bench/migration_beside_mlflow.py --runs 500 --traces 0 --pairs 3

Each migration is a process of its own; the order in a pair alternates. Prints a JSON object per migration, then the
medians and the ratios of each pair. `mlflow migrate-filestore` exists from MLflow 3.10 on.
"""

import argparse
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

START_MS = 1_700_000_000_000
SPANS_PER_TRACE = 11
RUN_META = """artifact_uri: {uri}/artifacts
end_time: {start}
entry_point_name: ''
experiment_id: '{experiment}'
lifecycle_stage: active
run_id: {run}
run_name: run
run_uuid: {run}
source_name: ''
source_type: 4
source_version: ''
start_time: {start}
status: 3
tags: []
user_id: me
"""
TRACE_INFO = """execution_duration_ms: 5
request_preview: '{{"q": "hello"}}'
request_time: '2026-02-02T10:00:00.123Z'
response_preview: '{{"a": "answer"}}'
state: OK
trace_id: {trace}
trace_location:
  mlflow_experiment:
    experiment_id: '{experiment}'
  type: MLFLOW_EXPERIMENT
"""
EXPERIMENT = "123456789012345678"


def write_store(root: Path, runs: int, traces: int) -> None:
    """Write a clean file store: 8 params, 8 metrics of 10 points, 4 tags and 4 artifacts a run; 11 spans a trace."""
    experiment = root / EXPERIMENT
    experiment.mkdir(parents=True)
    meta = f"artifact_location: {experiment.as_uri()}\ncreation_time: {START_MS}\nexperiment_id: '{EXPERIMENT}'\n"
    (experiment / "meta.yaml").write_text(
        f"{meta}last_update_time: {START_MS}\nlifecycle_stage: active\nname: agents\n"
    )
    points = "".join(f"{START_MS + step} {step * 1.5} {step}\n" for step in range(10))
    for _ in range(runs):
        run = experiment / uuid.uuid4().hex
        text = RUN_META.format(uri=run.as_uri(), start=START_MS, experiment=EXPERIMENT, run=run.name)
        _write(run, {"meta.yaml": text})
        _write(run / "params", {f"p{number}": str(number) for number in range(8)})
        _write(run / "metrics", {f"m{number}": points for number in range(8)})
        _write(run / "tags", {f"t{number}": "value" for number in range(4)})
        _write(run / "artifacts", {f"a{number}.json": "x" * 1000 for number in range(4)})
    for _ in range(traces):
        _write_trace(experiment / "traces", uuid.uuid4())


def _write_trace(folder: Path, number: uuid.UUID) -> None:
    trace = folder / f"tr-{number.hex}"
    _write(trace, {"trace_info.yaml": TRACE_INFO.format(trace=trace.name, experiment=EXPERIMENT)})
    _write(trace / "tags", {"mlflow.traceName": "wf", "mlflow.artifactLocation": f"{trace.as_uri()}/artifacts"})
    usage = json.dumps({"input_tokens": 5, "output_tokens": 7, "total_tokens": 12})
    _write(trace / "request_metadata", {f"k{key}": "value" for key in range(11)} | {"mlflow.trace.tokenUsage": usage})
    ids = [base64.b64encode(os.urandom(8)).decode() for _ in range(SPANS_PER_TRACE)]
    spans = [
        {
            "trace_id": base64.b64encode(number.bytes).decode(),
            "span_id": span,
            "parent_span_id": ids[0] if place else None,
            "name": f"node {place}",
            "start_time_unix_nano": START_MS * 1_000_000 + place,
            "end_time_unix_nano": START_MS * 1_000_000 + place + 1000,
            "events": [],
            "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {
                "mlflow.traceRequestId": json.dumps(trace.name),
                "mlflow.spanType": '"LLM"',
                "mlflow.spanInputs": json.dumps({"q": "x" * 900}),
            },
        }
        for place, span in enumerate(ids)
    ]
    _write(trace / "artifacts", {"traces.json": json.dumps({"spans": spans})})


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def measure(tool: str, store: Path, folder: Path) -> dict[str, float | str]:
    """Migrate in a process of its own; wall and CPU seconds, and peak memory in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    target = f"sqlite:///{folder}/mlflow.db"
    if tool == "tracegauge":
        command = [sys.executable, "-m", "tracegauge", "migrate", str(store), target]
    else:
        command = [sys.executable, "-m", "mlflow", "migrate-filestore", "--source", str(store), "--target", target]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    started = time.perf_counter()
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    if status != 0:
        sys.exit(f"{tool} failed:\n{(folder / 'log.txt').read_text()}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return {"tool": tool, "wall_s": wall_s, "cpu_s": cpu_s, "peak_memory_bytes": usage.ru_maxrss * 1024}


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--traces", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tracegauge-migration-") as name:
        store = Path(name) / "mlruns"
        write_store(store, wanted.runs, wanted.traces)
        pairs = []
        for number in range(wanted.pairs):
            tools = ("tracegauge", "mlflow") if number % 2 == 0 else ("mlflow", "tracegauge")
            pair = {tool: measure(tool, store, Path(name) / "out") for tool in tools}
            pairs.append(pair)
            for result in pair.values():
                _print(result)
        for metric in ("wall_s", "cpu_s", "peak_memory_bytes"):
            ratios = [float(pair["tracegauge"][metric]) / float(pair["mlflow"][metric]) for pair in pairs]
            medians = {tool: statistics.median(float(pair[tool][metric]) for pair in pairs) for tool in pairs[0]}
            _print({"metric": metric, "medians": medians, "tracegauge / mlflow": ratios})


def _print(record: object) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
