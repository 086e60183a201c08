"""What the deliveries use of MLflow's private parts, and how it differs between versions."""

import inspect
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby
from typing import Any

from mlflow.entities import Span
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import RestException
from mlflow.store.tracking import sqlalchemy_store
from mlflow.store.tracking.dbmodels.models import SqlSpan, SqlTraceInfo, SqlTraceMetadata, SqlTraceMetrics
from mlflow.store.tracking.rest_store import RestStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing import provider
from mlflow.tracing.constant import SpansLocation, TokenUsageKey, TraceMetadataKey, TraceTagKey
from mlflow.tracing.export import mlflow_v3
from mlflow.tracing.trace_manager import InMemoryTraceManager
from mlflow.tracing.utils import TraceJSONEncoder, add_size_stats_to_trace_metadata
from opentelemetry.sdk.resources import Resource

try:
    from mlflow.tracing.attachments import Attachment
except ImportError:  # MLflow 3.9 has no attachments
    Attachment = None

__all__ = ["TraceJSONEncoder", "add_size_stats_to_trace_metadata"]


# --- the tracer provider -------------------------------------------------------------------------------------------


def rebuild_tracer_provider() -> None:
    """Make MLflow build its span processors anew, with the settings of now.

    `mlflow.tracing.reset()` would do that too, but it also forgets the user's trace destination and span processors.
    Where the user has disabled tracing, it stays disabled.
    """
    if provider.is_tracing_enabled():
        provider._initialize_tracer_provider()
        provider.provider.once._done = True


def current_exporter() -> Any | None:
    """The exporter behind MLflow's tracer provider; None where it has none yet, or tracing is disabled."""
    if not provider.provider.once._done:
        return None
    processors = getattr(getattr(provider.provider.get(), "_active_span_processor", None), "_span_processors", ())
    exporters = (getattr(processor, "span_exporter", None) for processor in processors)
    return next((exporter for exporter in exporters if hasattr(exporter, "_export_traces")), None)


def exporter_class_in_use() -> Any:
    """The class, or function, with which MLflow builds its exporters."""
    return mlflow_v3.MlflowV3SpanExporter


@contextmanager
def exporter_class(make_exporter: Any) -> Iterator[None]:
    """Have MLflow build its exporters with `make_exporter(tracking_uri)`, whenever it builds its span processors.

    It does so at `mlflow.set_tracking_uri`, `mlflow.tracing.set_destination`, `reset` and `enable`, and (3.9) around
    each function that it does not want traced: an exporter put into one tracer provider would not live long.
    """
    before = mlflow_v3.MlflowV3SpanExporter
    mlflow_v3.MlflowV3SpanExporter = make_exporter
    try:
        yield
    finally:
        mlflow_v3.MlflowV3SpanExporter = before


# --- MLflow's asynchronous export ----------------------------------------------------------------------------------


def flush_async_export(timeout_s: float | None) -> int:
    """Wait until MLflow's asynchronous export is idle; returns how many whole traces it still holds.

    `mlflow.flush_trace_async_logging()` stops and restarts the queue's threads, which takes up to one second when the
    queue is idle, and knows no timeout. Waiting for the queue's own count of unfinished tasks has neither flaw.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    _flush_span_batches()
    queue = getattr(current_exporter(), "_async_queue", None)
    if queue is None:
        return 0
    tasks = queue._queue
    with tasks.all_tasks_done:
        while tasks.unfinished_tasks:
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                held = [task.handler.__name__ for task in tasks.queue]
                return max(1, held.count("_log_trace"))
            tasks.all_tasks_done.wait(remaining)
    return 0


def _flush_span_batches() -> None:
    """Hand spans that wait in OpenTelemetry's batch processor (MLflow 3.10 and later) on to MLflow's export queue."""
    from mlflow.tracing.processor import base_mlflow

    for processor in tuple(getattr(base_mlflow, "_batch_processor_registry", ())):
        processor.force_flush()


def stop_async_export(exporter: Any) -> None:
    """End the threads of an exporter that no tracer provider uses any more; MLflow 3.9 leaves them running."""
    queue = getattr(exporter, "_async_queue", None)
    if queue is not None:
        queue.flush(terminate=True)


# --- spans and traces ----------------------------------------------------------------------------------------------


def raw_attributes(span: Span) -> Mapping[str, Any]:
    """The span's attributes as they are stored: JSON texts, not parsed."""
    return span._span.attributes or {}


def resource_attributes(span: Span) -> dict[str, Any]:
    """The attributes of the OpenTelemetry resource that the span belongs to, such as `service.name`."""
    resource = getattr(span._span, "resource", None)
    return dict(resource.attributes) if resource is not None else {}


def attachments(span: Span) -> Mapping[str, Any]:
    """Binary attachments by id, each with a `content_type` and `content_bytes`."""
    return getattr(span, "_attachments", {})


def restore_span(span: Span, resource: Mapping[str, Any], attached: Mapping[str, tuple[str, bytes]]) -> None:
    """Give a span that was read with `Span.from_dict` what its dictionary left out."""
    span._span._resource = Resource(dict(resource))
    for identifier, (content_type, content) in attached.items():
        attachment = Attachment(content_type=content_type, content_bytes=content)
        attachment._id = identifier
        span._attachments[identifier] = attachment


def is_under_way_here(otel_trace_id: int) -> bool:
    """Whether this process has the trace's root, and still waits for it (or for its late spans) to end."""
    manager = InMemoryTraceManager.get_instance()
    with manager.get_trace(manager.get_mlflow_trace_id_from_otel_id(otel_trace_id)) as trace:
        return trace is not None and not trace.is_remote_trace


def roots_that_wait(exporter: Any) -> bool:
    """Whether roots have ended whose traces (MLflow 3.12 and later) still wait for late spans."""
    return bool(getattr(exporter, "_deferred_root_spans", None))


def release_waiting_traces(exporter: Any | None) -> None:
    """Have MLflow 3.12 and later hand over traces whose root has ended, but which still wait for late spans."""
    if exporter is not None and hasattr(exporter, "_deferred_root_spans"):
        exporter.shutdown()


def anything_under_way() -> bool:
    """Whether this process is in the middle of a trace. Takes no lock, which a fork might find taken."""
    return bool(InMemoryTraceManager.get_instance()._otel_id_to_mlflow_trace_id)


def unfinished_traces() -> Sequence[tuple[str, str | None, Sequence[Span]]]:
    """Traces whose root has not ended: their id, their experiment, and those of their spans that have ended."""
    manager = InMemoryTraceManager.get_instance()
    with manager._lock:
        traces = list(manager._traces.values())
    return [
        (
            trace.info.trace_id,
            trace.info.experiment_id if trace.info.trace_location else None,
            [span.to_immutable_span() for span in list(trace.span_dict.values()) if span.end_time_ns is not None],
        )
        for trace in traces
    ]


# --- writing -------------------------------------------------------------------------------------------------------

SIZE_KEY = TraceMetadataKey.SIZE_STATS


def log_spans(client: Any, experiment_id: str, spans: Sequence[Span]) -> None:
    """`client.log_spans`, which a store without it (the file store, or a server over one) refuses in two ways.

    Raises:
        NotImplementedError: the store keeps spans as artifacts of the trace.
    """
    try:
        client.log_spans(experiment_id, list(spans))
    except RestException as error:
        if "REST OTLP span logging is not supported" in error.message:
            raise NotImplementedError from error
        raise
    except NotImplementedError as error:
        if "could not identify" not in str(error):
            raise
        # A server that did not answer once: MLflow would remember that for as long as the process lives.
        RestStore._get_server_version.cache_clear()
        raise ConnectionError(str(error)) from error


def has_spans_in_store(info: Any) -> bool:
    """Whether the store has the trace's spans itself, so that they need not be uploaded as an artifact."""
    return bool(info.tags.get(TraceTagKey.SPANS_LOCATION) == SpansLocation.TRACKING_STORE.value)


def upload_attachments(client: Any, info: Any, spans: Sequence[Span]) -> None:
    """Upload the spans' binary attachments as artifacts of their trace."""
    attached = {key: value for span in spans for key, value in attachments(span).items()}
    if attached:
        stored = client.get_trace_info(info.trace_id)  # with the tag that says where its artifacts are
        client._upload_attachments(stored, attached)


def link_prompts(client: Any, trace_id: str, prompts: Sequence[tuple[str, int]]) -> None:
    """Link registered prompts to a stored trace."""
    if prompts:
        versions = [PromptVersion(name=name, version=version, template="-") for name, version in prompts]
        client.link_prompt_versions_to_trace(trace_id, versions)


def in_workspace(workspace: str | None) -> AbstractContextManager[object]:
    """Address a server's workspace, which exist from MLflow 3.10 on."""
    if workspace is None:
        return nullcontext()
    from mlflow.utils.workspace_context import ServerWorkspaceContext

    context: AbstractContextManager[object] = ServerWorkspaceContext(workspace)
    return context


# --- SQL stores ----------------------------------------------------------------------------------------------------


def is_sql_store(store: Any) -> bool:
    """Whether this process writes to a database itself."""
    return isinstance(store, SqlAlchemyStore)


def forget_connections() -> None:
    """After a fork: leave the database connections to the parent, and open new ones where they are needed."""
    for engine in list(SqlAlchemyStore._engine_map.values()):
        engine.dispose(close=False)


def write_session(store: Any) -> AbstractContextManager[Any]:
    """A session of the store that is committed at the end. MLflow 3.13 and later must be told that it writes."""
    maker = store.ManagedSessionMaker
    arguments = {"read_only": False} if "read_only" in inspect.signature(maker).parameters else {}
    session: AbstractContextManager[Any] = maker(**arguments)
    return session


def stored_trace_ids(store: Any, trace_ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """Those of these traces that the store has in any form, and those that it has whole.

    A trace's size is recorded when it is begun, which comes after its spans, or in one transaction with them.
    """
    with store.ManagedSessionMaker() as session:
        begun = session.query(SqlTraceInfo.request_id).filter(SqlTraceInfo.request_id.in_(trace_ids))
        whole = session.query(SqlTraceMetadata.request_id).filter(
            SqlTraceMetadata.request_id.in_(trace_ids), SqlTraceMetadata.key == SIZE_KEY
        )
        return {row[0] for row in begun}, {row[0] for row in whole}


def log_spans_of_new_traces(store: Any, parcels: Sequence[Any]) -> None:
    """Write the spans of traces that were begun in the same transaction, and leave the traces as they were begun.

    MLflow means a trace to be begun after its spans were written: what it derives from spans then counts for less than
    what the trace itself says. In this order a duration would be rounded differently, and until about 3.12 the tokens
    of the spans would be added to those of the trace. From then on it also takes spans of many traces at once.
    """
    with store.ManagedSessionMaker() as session:
        if hasattr(sqlalchemy_store, "_bulk_upsert"):
            for experiment_id, group in groupby(sorted(parcels, key=_experiment_id), key=_experiment_id):
                store.log_spans(experiment_id, [span for parcel in group for span in parcel.spans])
        else:
            _log_spans_one_by_one(store, session, parcels)
        session.bulk_update_mappings(SqlTraceInfo, [_times(parcel.info) for parcel in parcels])


def _log_spans_one_by_one(store: Any, session: Any, parcels: Sequence[Any]) -> None:
    merge = session.merge
    # Spans of new traces can't be there yet: no need to look for each.
    session.merge = lambda row: session.add(row) if isinstance(row, SqlSpan) else merge(row)
    try:
        for parcel in parcels:
            store.log_spans(parcel.experiment_id, list(parcel.spans))
            _set_token_totals(session, parcel.info)
    finally:
        del session.merge


def _times(info: Any) -> dict[str, Any]:
    return {
        "request_id": info.trace_id,
        "timestamp_ms": info.request_time,
        "execution_time_ms": info.execution_duration,
    }


def _experiment_id(parcel: Any) -> str:
    return str(parcel.experiment_id)


def _set_token_totals(session: Any, info: Any) -> None:
    """Store the token totals that the trace itself has, as `start_trace` of these versions does."""
    usage = info.trace_metadata.get(TraceMetadataKey.TOKEN_USAGE)
    if usage is None:
        return
    session.merge(SqlTraceMetadata(request_id=info.trace_id, key=TraceMetadataKey.TOKEN_USAGE, value=usage))
    for key, value in json.loads(usage).items():
        if key in TokenUsageKey.all_keys() and value is not None:
            session.merge(SqlTraceMetrics(request_id=info.trace_id, key=key, value=float(value)))
