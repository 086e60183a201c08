"""The programs in which the statements that tracing takes are counted really do the same."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "instrumentation"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """All four, run as a user would run them: what each prints, and the store that the traced ones share."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('instrumentation') / 'mlflow.db'}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    printed = {
        name: subprocess.run(
            [sys.executable, EXAMPLES / f"{name}.py"], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for name in ("plain", "legacy", "manual", "autolog")
    }
    return printed, uri


@pytest.mark.slow
def test_all_four_programs_write_the_same_article_and_the_traced_ones_leave_the_same_in_the_store(written):
    printed, uri = written
    assert len(set(printed.values())) == 1
    assert printed["plain"].strip()
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("instrumentation").experiment_id
    traces = client.search_traces(locations=[experiment])
    assert len(traces) == 2
    for trace in traces:
        kinds = [span.span_type for span in trace.data.spans]
        assert len(kinds) == 7  # the workflow, three nodes, three model calls
        assert kinds.count("CHAT_MODEL") == 3
        assert {"outline", "draft", "edit"} <= {span.name for span in trace.data.spans}
    tokens = [
        sum(
            span.get_attribute("mlflow.chat.tokenUsage")["total_tokens"]
            for span in trace.data.spans
            if span.span_type == "CHAT_MODEL"
        )
        for trace in traces
    ]
    runs = client.search_runs([experiment])
    nodes = [run for run in runs if run.info.run_name.startswith("node_")]
    assert len(runs) == 4
    assert len(nodes) == 3
    tokens.append(sum(run.data.metrics["input_tokens"] + run.data.metrics["output_tokens"] for run in nodes))
    assert len(set(tokens)) == 1
