"""The lossless delivery while everything works: what it takes over from MLflow, and what it leaves to MLflow."""

import threading

import mlflow
import pytest
from mlflow.entities import SpanType
from mlflow.entities.trace_location import MlflowExperimentLocation
from mlflow.pyfunc.context import Context, set_prediction_context
from mlflow.tracing.distributed import set_tracing_context_from_http_request_headers
from mlflow.tracing.export import mlflow_v3

from tracegauge.tracking.compat.tracer_provider import current_exporter
from tracegauge.tracking.delivery import FlushReport, make_delivery
from tracegauge.tracking.delivery.exporter import WholeTraceExporter


def trace(name: str) -> None:
    with mlflow.start_span(name), mlflow.start_span("child"):
        pass


def test_mlflows_own_flush_flushes_it(install, database, trace_names):
    install("lossless")
    trace("flushed")
    mlflow.flush_trace_async_logging()
    assert trace_names(database) == ["flushed"]


def test_a_burst_from_many_threads_loses_nothing(install, database, trace_names):
    delivery = install("lossless")
    threads = [
        threading.Thread(target=lambda caller=caller: [trace(f"{caller}-{n}") for n in range(100)])
        for caller in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert delivery.flush(timeout_s=None) == FlushReport()
    assert trace_names(database) == sorted(f"{caller}-{n}" for caller in range(8) for n in range(100))


def rebuilt_by_a_destination(context) -> None:
    mlflow.tracing.set_destination(MlflowExperimentLocation(context.experiment_id))


def rebuilt_by_a_reset(context) -> None:
    mlflow.tracing.reset()


def rebuilt_by_another_store_in_between(context) -> None:
    mlflow.set_tracking_uri(context.fallback_uri)
    mlflow.set_tracking_uri(context.tracking_uri)


def rebuilt_around_an_untraced_function(context) -> None:
    from mlflow.tracing.provider import trace_disabled

    trace_disabled(lambda: None)()


@pytest.mark.parametrize(
    "rebuild",
    [
        rebuilt_by_a_destination,
        rebuilt_by_a_reset,
        rebuilt_by_another_store_in_between,
        rebuilt_around_an_untraced_function,
    ],
    ids=lambda function: function.__name__,
)
def test_it_stays_installed_when_mlflow_rebuilds_its_provider(rebuild, install, context, database, trace_names):
    delivery = install("lossless")
    rebuild(context)
    trace("after")
    assert isinstance(current_exporter(), WholeTraceExporter)
    delivery.flush(timeout_s=None)
    assert trace_names(database) == ["after"]


def test_traces_for_another_store_are_left_to_mlflow(install, context, database, tmp_path, monkeypatch, trace_names):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    assert mlflow.MlflowClient(context.fallback_uri).create_experiment("same id") == context.experiment_id
    delivery = install("lossless")
    mlflow.set_tracking_uri(context.fallback_uri)
    trace("elsewhere")
    mlflow.set_tracking_uri(context.tracking_uri)
    delivery.flush(timeout_s=None)
    assert (trace_names(database), trace_names(tmp_path / "fallback.db")) == ([], ["elsewhere"])


def test_deliveries_given_back_in_the_wrong_order_leave_tracing_to_mlflow(context, database, trace_names, monkeypatch):
    monkeypatch.setattr(mlflow_v3, "MlflowV3SpanExporter", mlflow_v3.MlflowV3SpanExporter)
    first, second = make_delivery("lossless"), make_delivery("lossless")
    first.install(context)
    second.install(context)
    trace("second's")
    first.uninstall()
    second.uninstall()
    trace("mlflow's")
    mlflow.flush_trace_async_logging()
    assert trace_names(database) == ["mlflow's", "second's"]


def test_each_trace_goes_to_its_own_experiment(install, context, database, rows):
    other = mlflow.MlflowClient().create_experiment("other")
    delivery = install("lossless")
    for number in range(6):
        mlflow.start_span_no_context(f"{number}", experiment_id=[context.experiment_id, other][number % 2]).end()
    delivery.flush(timeout_s=None)
    stored = rows(database, "select name, experiment_id from spans order by name")
    assert stored == [(f"{number}", int([context.experiment_id, other][number % 2])) for number in range(6)]


def test_a_span_that_outlives_its_root_is_stored_with_it(install, database, rows, trace_names):
    delivery = install("lossless")
    root_has_ended = threading.Event()
    with mlflow.start_span("root") as root:
        child = mlflow.start_span_no_context("late", parent_span=root)
    root_has_ended.set()
    child.end()
    delivery.flush(timeout_s=None)
    assert sorted(rows(database, "select name from spans")) == [("late",), ("root",)]
    assert trace_names(database) == ["root"]


def test_a_root_that_waits_for_late_spans_is_delivered_at_the_end(context, database, trace_names):
    delivery = make_delivery("lossless")
    delivery.install(context)
    with mlflow.start_span("root") as root:
        mlflow.start_span_no_context("never ends", parent_span=root)
    delivery.uninstall()
    assert trace_names(database) == ["root"]


def test_spans_of_a_trace_that_began_in_another_process(install, database, rows):
    """A server's part of a distributed trace: its root is the client's, which the server never sees."""
    delivery = install("lossless")
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    for number in range(2):
        with set_tracing_context_from_http_request_headers(headers), mlflow.start_span(f"handler {number}"):
            trace("inner")
    assert delivery.flush(timeout_s=None) == FlushReport()
    query = "select trace_id, count(*), count(parent_span_id) from spans group by trace_id"
    assert rows(database, query) == [("tr-0af7651916cd43dd8448eb211c80319c", 6, 6)]


def test_a_client_and_its_server_in_one_store(install, context, database, rows, trace_names):
    """The server's spans come first, as in life; then the root's own, which completes the trace."""
    delivery = install("lossless")
    with mlflow.start_span("client") as root:
        traceparent = f"00-{root.trace_id.removeprefix('tr-')}-{root.span_id}-01"

        def serve() -> None:
            remote = set_tracing_context_from_http_request_headers({"traceparent": traceparent})
            with remote, mlflow.start_span("server", span_type=SpanType.TOOL):
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        thread.join()
    delivery.flush(timeout_s=None)
    assert trace_names(database) == ["client"]
    assert sorted(rows(database, "select name from spans")) == [("client",), ("server",)]


def test_within_an_evaluation_traces_are_there_at_once(install, database, rows):
    """`mlflow.genai.evaluate` reads the trace of each prediction right after it."""
    install("lossless")
    with set_prediction_context(Context(request_id="prediction-1", is_evaluate=True)):
        trace("predicted")
    assert rows(database, "select count(*) from spans") == [(2,)]


def test_prompts_are_linked(install, database, rows):
    mlflow.genai.register_prompt("greeting", "Hello {{name}}")
    delivery = install("lossless")

    @mlflow.trace
    def greet() -> str:
        return mlflow.genai.load_prompt("greeting", version=1).format(name="you")

    greet()
    delivery.flush(timeout_s=None)
    (tags,) = rows(database, "select value from trace_tags where key = 'mlflow.linkedPrompts'")
    assert "greeting" in tags[0]


def test_attachments_are_uploaded(install, database, tmp_path):
    attachments = pytest.importorskip("mlflow.tracing.attachments", reason="this MLflow has no attachments")
    delivery = install("lossless")
    with mlflow.start_span("with an image") as span:
        span.set_inputs({"image": attachments.Attachment(content_type="image/png", content_bytes=b"pixels")})
    delivery.flush(timeout_s=None)
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "attachments" in path.parts]
