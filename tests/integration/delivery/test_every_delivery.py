"""What holds for each delivery: traces arrive, and MLflow is as it was afterwards."""

import os
import threading

import mlflow
import pytest

from tracegauge.tracking.compat.tracer_provider import current_exporter, exporter_class_in_use, rebuild_tracer_provider
from tracegauge.tracking.delivery import DELIVERIES, FlushReport, make_delivery

every_delivery = pytest.mark.parametrize("name", DELIVERIES)


def trace(name: str) -> None:
    with mlflow.start_span(name), mlflow.start_span("child"):
        pass


@every_delivery
def test_traces_are_stored_after_a_flush(name, install, database, trace_names):
    delivery = install(name)
    for number in range(20):
        trace(f"trace {number}")
    report = delivery.flush(timeout_s=None)
    assert report == FlushReport()
    assert report.complete
    assert trace_names(database) == sorted(f"trace {number}" for number in range(20))


@every_delivery
def test_the_id_of_the_last_trace_is_known_at_once(name, install):
    delivery = install(name)
    trace("known")
    trace_id = mlflow.get_last_active_trace_id()
    delivery.flush(timeout_s=None)
    assert mlflow.get_trace(trace_id).data.spans[0].name == "known"


@every_delivery
@pytest.mark.parametrize("before", ["true", "false", None])
def test_mlflow_is_as_it_was_afterwards(name, before, context, monkeypatch):
    if before is None:
        monkeypatch.delenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", raising=False)
    else:
        monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", before)
    rebuild_tracer_provider()
    environ, exporter_class = dict(os.environ), exporter_class_in_use()
    exporter, threads = type(current_exporter()), threading.active_count()
    delivery = make_delivery(name)
    delivery.install(context)
    trace("in between")
    delivery.uninstall()
    delivery.uninstall()
    assert dict(os.environ) == environ
    assert exporter_class_in_use() is exporter_class
    assert type(current_exporter()) is exporter
    assert threading.active_count() <= threads


@every_delivery
def test_uninstalling_leaves_nothing_unwritten(name, context, database, trace_names):
    delivery = make_delivery(name)
    delivery.install(context)
    trace("last")
    delivery.uninstall()
    assert trace_names(database) == ["last"]


@every_delivery
def test_a_delivery_is_installed_once(name, install, context):
    delivery = install(name)
    with pytest.raises(RuntimeError, match=name):
        delivery.install(context)


@every_delivery
def test_tracing_that_was_disabled_stays_disabled(name, context, database, trace_names):
    mlflow.tracing.disable()
    delivery = make_delivery(name)
    delivery.install(context)
    trace("unseen")
    delivery.uninstall()
    trace("unseen too")
    mlflow.flush_trace_async_logging()
    assert trace_names(database) == []
    mlflow.tracing.enable()


@every_delivery
def test_what_the_user_set_up_for_tracing_stays(name, install, database, rows):
    mlflow.tracing.configure(span_processors=[lambda span: span.set_attribute("seen", True)])
    delivery = install(name)
    trace("processed")
    delivery.flush(timeout_s=None)
    contents = [content for (content,) in rows(database, "select content from spans")]
    assert len(contents) == 2
    assert all('"seen"' in content for content in contents)


@every_delivery
def test_deliveries_can_follow_one_another(name, context, database, trace_names):
    for follower in (name, "mlflow", name, "lossless", "sync"):
        delivery = make_delivery(follower)
        delivery.install(context)
        trace(follower)
        delivery.uninstall()
    assert trace_names(database) == sorted([name, "mlflow", name, "lossless", "sync"])


def test_a_flush_of_mlflows_export_ends_with_its_timeout(install, database, hold_lock):
    delivery = install("mlflow")
    with hold_lock(database):
        trace("waits")
        report = delivery.flush(timeout_s=0.2)
        assert report.pending
        assert not report.complete
    assert delivery.flush(timeout_s=None).complete


def test_an_unknown_delivery_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"'pigeon'.*mlflow, sync, lossless"):
        make_delivery("pigeon")
