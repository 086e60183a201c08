"""A real tracking server that is killed in the middle of a run."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_trace_is_in_one_of_the_two_stores(
    install, context, running_server, empty_database, tmp_path, trace_names
):
    """What the server had taken, what was under way to it when it was killed, and what came after."""
    folder = tmp_path / "server"
    folder.mkdir()
    with running_server(Path(shutil.copy(empty_database, folder / "mlflow.db"))) as server:
        mlflow.set_tracking_uri(server.uri)
        experiment_id = mlflow.set_experiment("served").experiment_id
        delivery = install("lossless", replace(context, tracking_uri=server.uri, experiment_id=experiment_id))
        slowest_s = 0.0
        for number in range(60):
            if number == 30:
                assert delivery.flush(timeout_s=None).complete
                assert len(trace_names(server.database)) == 30
            if number == 45:
                server.kill()
            started = time.monotonic()
            with mlflow.start_span(f"{number}"), mlflow.start_span("child"):
                pass
            slowest_s = max(slowest_s, time.monotonic() - started)
        report = delivery.flush(timeout_s=None)
        in_server = set(trace_names(server.database))
    in_fallback = set(trace_names(tmp_path / "fallback.db"))
    assert slowest_s < context.timeout_s + 5
    assert report.complete
    assert report.diverted == len(in_fallback) >= 15
    assert in_server | in_fallback == {str(number) for number in range(60)}
    assert mlflow.MlflowClient(context.fallback_uri).get_experiment_by_name("served") is not None
