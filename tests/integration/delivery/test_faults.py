"""The lossless delivery while something is broken: nothing is lost that could be kept, and no caller waits for long."""

import logging
import multiprocessing
import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from tracegauge.tracking.delivery import FlushReport, courier, lossless, make_delivery, route

SLACK_S = 5.0
"""What a loaded machine may add to a promised time."""


def trace(name: str) -> None:
    with mlflow.start_span(name), mlflow.start_span("child"):
        pass


def slowest_of(count: int) -> float:
    """Traces so many times; the seconds that the slowest one took."""
    slowest = 0.0
    for number in range(count):
        started = time.monotonic()
        trace(f"{number}")
        slowest = max(slowest, time.monotonic() - started)
    return slowest


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for about five of these tests' traces."""
    monkeypatch.setattr(courier, "MEMORY_BYTES", 50_000)


@pytest.fixture
def short_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossless, "EXIT_S", 0.3)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name.startswith("tracegauge") and r.levelno >= logging.WARNING]


@pytest.mark.usefixtures("little_memory")
def test_a_locked_database_delays_nobody_for_long_and_costs_nothing(install, context, database, hold_lock, trace_names):
    """Locked for longer than the timeout: back-pressure once, then to disk; stored when the lock is gone."""
    delivery = install("lossless")
    with hold_lock(database):
        started = time.monotonic()
        assert slowest_of(50) < context.timeout_s + SLACK_S
        assert time.monotonic() - started < 2 * context.timeout_s + SLACK_S, "the timeout is paid once, not per trace"
        report = delivery.flush(timeout_s=0.1)
        assert report.pending + report.spilled == 50
        assert report.spilled > 30
        assert not report.complete
        assert list(context.spill_dir.iterdir())
    assert delivery.flush(timeout_s=None) == FlushReport()
    assert trace_names(database) == sorted(str(number) for number in range(50))
    assert not list(context.spill_dir.iterdir())


@pytest.mark.usefixtures("little_memory", "short_exit")
def test_what_cant_be_stored_before_the_end_is_stored_at_the_next_start(
    context, database, hold_lock, trace_names, rows
):
    delivery = make_delivery("lossless")
    delivery.install(replace(context, timeout_s=0.1))
    with hold_lock(database):
        slowest_of(20)
        delivery.uninstall()
        (left,) = context.spill_dir.iterdir()
        assert lines_in(left) == 20
    following = make_delivery("lossless")
    following.install(context)
    assert following.flush(timeout_s=None) == FlushReport()
    following.uninstall()
    # The first one's thread may have stored its batch too, once the lock was gone: nothing is there twice.
    assert trace_names(database) == sorted(str(number) for number in range(20))
    assert rows(database, "select count(*) from spans") == [(40,)]
    assert not list(context.spill_dir.iterdir())


def lines_in(spill_file: Path) -> int:
    return len(spill_file.read_bytes().splitlines())


@pytest.mark.usefixtures("little_memory")
def test_a_disk_that_takes_nothing_is_counted_and_told_once(install, context, database, hold_lock, trace_names, caplog):
    """A file where the folder should be: every write to disk fails, as on a full one."""
    context.spill_dir.write_text("in the way")
    delivery = install("lossless", replace(context, timeout_s=0.1))
    with hold_lock(database):
        slowest_of(50)
    report = delivery.flush(timeout_s=None)
    assert report.dropped > 30
    assert not report.complete
    assert len(trace_names(database)) == 50 - report.dropped
    told = [message for message in warnings_in(caplog) if "lost" in message]
    assert len(told) == 1
    assert str(context.spill_dir) in told[0]


def test_an_experiment_that_was_deleted_diverts_its_traces_only(
    install, context, database, tmp_path, trace_names, caplog
):
    client = mlflow.MlflowClient()
    gone = client.create_experiment("gone")
    delivery = install("lossless")
    mlflow.start_span_no_context("before", experiment_id=gone).end()
    delivery.flush(timeout_s=None)
    client.delete_experiment(gone)
    mlflow.start_span_no_context("refused", experiment_id=gone).end()
    trace("accepted")
    mlflow.start_span_no_context("refused too", experiment_id=gone).end()
    report = delivery.flush(timeout_s=None)
    assert report == FlushReport(diverted=2)
    assert report.complete
    assert trace_names(database) == ["accepted", "before"]
    fallback = tmp_path / "fallback.db"
    assert trace_names(fallback) == ["refused", "refused too"]
    client = mlflow.MlflowClient(context.fallback_uri)
    experiment = client.get_experiment_by_name("gone")
    assert len(client.search_traces([experiment.experiment_id])) == 2
    assert len(warnings_in(caplog)) == 1


def test_characters_that_no_database_takes_are_replaced(install, database, rows):
    """Half of a surrogate pair can't be encoded as UTF-8; MLflow itself loses such a trace."""
    delivery = install("lossless")
    with mlflow.start_span("half \ud83d") as span:
        span.set_inputs("\ud83d")
        mlflow.update_current_trace(tags={"half \ud83d": "\ud83d"})
    assert delivery.flush(timeout_s=None) == FlushReport()
    assert rows(database, "select name from spans") == [("half \ufffd",)]
    assert ("half \ufffd", "\ufffd") in rows(database, "select key, value from trace_tags")


def test_a_trace_that_no_store_takes_spoils_no_other(install, database, trace_names, caplog):
    """A time beyond 64 bits fits into no database's integers."""
    delivery = install("lossless")
    trace("before")
    mlflow.start_span_no_context("impossible", start_time_ns=1 << 80).end(end_time_ns=1 << 81)
    trace("after")
    assert delivery.flush(timeout_s=None) == FlushReport(dropped=1)
    assert trace_names(database) == ["after", "before"]
    assert len(warnings_in(caplog)) == 1


@pytest.fixture
def server_context(context, closed_port, monkeypatch):
    """A server that has just died."""
    monkeypatch.setattr(route, "SERVER_PAUSES_S", (0.05, 0.1))
    uri = f"http://user:secret@127.0.0.1:{closed_port}"
    mlflow.set_tracking_uri(uri)
    return replace(context, tracking_uri=uri)


def test_what_a_dead_server_cant_be_sent_goes_to_the_fallback_store(
    install, server_context, tmp_path, trace_names, caplog
):
    delivery = install("lossless", server_context)
    assert slowest_of(30) < server_context.timeout_s + SLACK_S
    assert delivery.flush(timeout_s=None) == FlushReport(diverted=30)
    assert trace_names(tmp_path / "fallback.db") == sorted(str(number) for number in range(30))
    (told,) = warnings_in(caplog)
    assert "fallback.db" in told
    assert "secret" not in told


@pytest.mark.usefixtures("short_exit")
def test_with_both_stores_gone_traces_stay_on_disk_until_one_is_back(server_context, tmp_path, trace_names, hold_lock):
    fallback = tmp_path / "fallback.db"
    delivery = make_delivery("lossless")
    delivery.install(server_context)
    with hold_lock(fallback):
        slowest_of(10)
        delivery.uninstall()
    assert list(server_context.spill_dir.iterdir())
    following = make_delivery("lossless")
    following.install(server_context)
    assert following.flush(timeout_s=None).complete
    following.uninstall()
    assert trace_names(fallback) == sorted(str(number) for number in range(10))


def test_a_server_that_never_answers_delays_nobody(install, context, tmp_path, trace_names, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setattr(route, "SERVER_PAUSES_S", ())
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        uri = f"http://127.0.0.1:{black_hole.getsockname()[1]}"
        mlflow.set_tracking_uri(uri)
        delivery = install("lossless", replace(context, tracking_uri=uri))
        assert slowest_of(10) < context.timeout_s + SLACK_S
        assert delivery.flush(timeout_s=None) == FlushReport(diverted=10)
    assert len(trace_names(tmp_path / "fallback.db")) == 10


def test_a_file_store(install, context, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "mlruns").as_uri()
    mlflow.set_tracking_uri(uri)
    experiment_id = mlflow.set_experiment("in files").experiment_id
    delivery = install("lossless", replace(context, tracking_uri=uri, experiment_id=experiment_id))
    slowest_of(5)
    assert delivery.flush(timeout_s=None) == FlushReport()
    traces = mlflow.MlflowClient().search_traces([experiment_id])
    assert sorted(found.data.spans[0].name for found in traces) == [str(number) for number in range(5)]
    assert all(len(found.data.spans) == 2 for found in traces)


def test_a_forked_child_delivers_what_is_its_own(install, database, trace_names, rows, monkeypatch):
    """The parent's trace, which waits for others when it forks, is delivered by the parent, once."""
    monkeypatch.setattr(courier, "LINGER_S", 30.0)
    delivery = install("lossless")
    trace("parent's")
    assert delivery.flush(timeout_s=0).pending == 1
    child = os.fork()
    if child == 0:
        trace("child's")
        os._exit(0 if delivery.flush(timeout_s=50) == FlushReport() else 4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert delivery.flush(timeout_s=None) == FlushReport()
    assert trace_names(database) == ["child's", "parent's"]
    assert rows(database, "select count(*) from spans") == [(4,)]


def in_child(context) -> None:
    make_delivery("lossless").install(context)
    trace("child's")


def test_a_child_of_multiprocessing_that_begins_to_track_delivers_at_its_end(context, database, trace_names):
    """Such a child ends without what is registered with `atexit`."""
    child = multiprocessing.get_context("fork").Process(target=in_child, args=(context,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert trace_names(database) == ["child's"]


def test_forking_in_the_middle_of_writing_locks_no_child_out(install, database, trace_names):
    delivery = install("lossless")
    children = []
    for number in range(10):
        for part in range(20):
            trace(f"{number}-{part}")
        child = os.fork()
        if child == 0:
            trace(f"child {number}")
            os._exit(0 if delivery.flush(timeout_s=50) == FlushReport() else 4)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 10
    assert delivery.flush(timeout_s=None) == FlushReport()
    expected = [f"{number}-{part}" for number in range(10) for part in range(20)]
    assert trace_names(database) == sorted(expected + [f"child {number}" for number in range(10)])
