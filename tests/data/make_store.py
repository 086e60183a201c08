"""Writes a store with everything that one can hold, through MLflow's public API: run with any MLflow from 2.14 on.

MLFLOW_ALLOW_FILE_STORE=true python make_store.py FOLDER
python make_store.py sqlite:///mlflow.db
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")

import mlflow
from mlflow import MlflowClient

THREE = int(mlflow.__version__.split(".")[0]) >= 3


def write(store: str) -> None:
    mlflow.set_tracking_uri(store if "://" in store else Path(store).resolve().as_uri())
    mlflow.set_experiment("agents ä")
    client = MlflowClient()
    with mlflow.start_run(run_name="workflow", tags={"team": "Zürich"}) as run:
        mlflow.log_params({"model": "gpt", "folder/nested": "1", "empty": "", "lines": "one\r\ntwo\n"})
        for step in range(5):
            client.log_metric(run.info.run_id, "loss", 1 / (step + 1), timestamp=1_700_000_000_000 + step, step=step)
        client.log_metric(run.info.run_id, "nan", float("nan"), timestamp=1_700_000_000_000)
        client.log_metric(run.info.run_id, "eval/score", 0.5, timestamp=1_700_000_000_000)
        mlflow.log_dict({"a": 1}, "inputs.json")
        mlflow.log_text("tief ü", "deep/er/ä b.txt")
        with mlflow.start_run(run_name="node", nested=True):
            mlflow.log_param("node_id", "n1")
        answer("first")
    answer("second")
    with suppress(ValueError):
        fails("third")
    traces = client.search_traces([run.info.experiment_id])
    client.set_trace_tag(traces[0].info.request_id, "reviewed", "yes")
    if THREE:
        assess(traces[0].info.trace_id)
        model = mlflow.initialize_logged_model(name="agent", params={"temperature": "0"}, tags={"stage": "test"})
        mlflow.finalize_logged_model(model.model_id, "READY")
    with mlflow.start_run(run_name="deleted") as deleted:
        mlflow.log_param("p", "1")
    client.delete_run(deleted.info.run_id)
    gone = client.create_experiment("gone")
    client.create_run(gone)
    client.delete_experiment(gone)
    client.set_experiment_tag(run.info.experiment_id, "owner", "me")
    client.create_registered_model("router", tags={"x": "y"}, description="routes")
    version = client.create_model_version("router", f"{run.info.artifact_uri}/deep", run.info.run_id, tags={"v": "1"})
    client.set_registered_model_alias("router", "champion", version.version)


@mlflow.trace(span_type="LLM")
def llm(question: str) -> str:
    span = mlflow.get_current_active_span()
    span.set_attributes({"mlflow.chat.tokenUsage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}})
    span.add_event(mlflow.entities.SpanEvent("retried", attributes={"times": 1}))
    return f"answer to {question}"


@mlflow.trace
def answer(question: str) -> dict[str, str]:
    mlflow.update_current_trace(tags={"question": question})
    return {"answer": llm(question)}


@mlflow.trace
def fails(question: str) -> None:
    raise ValueError(question)


def assess(trace_id: str) -> None:
    from mlflow.entities import AssessmentError, AssessmentSource

    human = AssessmentSource("HUMAN", "me@example.com")
    first = mlflow.log_feedback(trace_id=trace_id, name="good", value=True, rationale="because", source=human)
    mlflow.log_feedback(trace_id=trace_id, name="score", value=0.25, metadata={"k": "v"})
    mlflow.log_feedback(trace_id=trace_id, name="failed", error=AssessmentError("TIMEOUT", "too slow"))
    mlflow.log_expectation(trace_id=trace_id, name="facts", value={"a": [1, "two"]}, source=human)
    if hasattr(mlflow, "override_feedback"):
        mlflow.override_feedback(
            trace_id=trace_id, assessment_id=first.assessment_id, value=False, rationale="no", source=human
        )


if __name__ == "__main__":
    write(sys.argv[1])
