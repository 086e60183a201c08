"""What is private in MLflow, or differs between its versions. Nothing else in tracegauge may know either."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import mlflow
import mlflow.entities.span
import mlflow.environment_variables
import mlflow.tracing
import mlflow.tracing.config
import mlflow.tracking.fluent
from langchain_core.runnables.config import var_child_runnable_config
from mlflow.entities import NoOpSpan, TraceInfo, TraceState
from mlflow.tracing import provider
from mlflow.tracing.processor import base_mlflow
from mlflow.tracing.trace_manager import InMemoryTraceManager
from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id
from mlflow.tracking._tracking_service import utils as tracking_service
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracegauge.tracking.environment import environment

logger = logging.getLogger("tracegauge.tracking")


def reset_tracer_provider() -> None:
    """Have MLflow build its span processor and exporter anew, from the settings of now, at the next span.

    3.17 exports what the outgoing processor has queued; earlier versions export it from the old one's threads.
    """
    provider.reset()


# What TraceIdRatioBased drops at any rate below 1: its lower 64 bits are above every bound.
_NOT_SAMPLED = NonRecordingSpan(SpanContext(trace_id=(1 << 128) - 1, span_id=1, is_remote=False))


def attach_span(span: Any) -> Any:
    """Make the span the active one of this context; the token is for `detach_span`.

    At 3.9 a span that was not sampled knows no context, and what starts below it would be sampled anew, as traces of
    their own: there it gets one that is dropped too.
    """
    if isinstance(span, NoOpSpan) and span._span.get_span_context() is None:
        return provider.set_span_in_context(_NotSampled)
    return provider.set_span_in_context(span)


class _NotSampled:
    """What `set_span_in_context` needs of a span."""

    _span = _NOT_SAMPLED


def detach_span(token: Any) -> None:
    """Undo `attach_span`. A token of another context, as left by generators closed elsewhere, is no error."""
    with suppress(ValueError):
        provider.detach_span_from_context(token)


def server_request(uri: str, endpoint: str, timeout_s: float) -> Any:
    """GET an endpoint of a tracking server once, as MLflow's client does: the answer as `requests.Response`."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    return http_request(
        get_default_host_creds(uri), endpoint, "GET", max_retries=0, timeout=timeout_s, raise_on_status=False
    )


@contextmanager
def file_store_allowed() -> Iterator[None]:
    """Give the opt-in that MLflow wants for file stores from 3.13, in this process only: children don't inherit it."""
    switch = getattr(mlflow.environment_variables, "MLFLOW_ALLOW_FILE_STORE", None)
    if switch is None:
        yield
        return
    before, switch.default = switch.default, True
    try:
        yield
    finally:
        switch.default = before


@contextmanager
def tracking_uri(uri: str) -> Iterator[None]:
    """Point MLflow at this URI. Setting a URI makes MLflow forget everything else that was set up for tracing, so that
    is restored too: the trace destination, the span processors, and whether tracing was disabled."""
    before = tracking_service._tracking_uri
    destination = provider._MLFLOW_TRACE_USER_DESTINATION.get()
    span_processors = mlflow.tracing.config.get_config().span_processors
    enabled = provider.is_tracing_enabled()
    with environment({"MLFLOW_TRACKING_URI": uri}):
        mlflow.set_tracking_uri(uri)
        if before == uri:  # then MLflow does nothing, and a processor of earlier settings would stay
            reset_tracer_provider()
        if span_processors:
            mlflow.tracing.configure(span_processors=span_processors)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)
            reset_tracer_provider()
            if destination is not None:
                provider._MLFLOW_TRACE_USER_DESTINATION.set(destination)
            if span_processors:
                mlflow.tracing.configure(span_processors=span_processors)
            if not enabled:
                mlflow.tracing.disable()


@contextmanager
def also_processing_spans(processor: Callable[[Any], None]) -> Iterator[None]:
    """Call this for every span that ends, after MLflow has called the processors that are configured.

    Not as one of those: `mlflow.tracing.configure(span_processors=...)` replaces them all, at any time.
    """
    configured = mlflow.entities.span.apply_span_processors

    def apply_span_processors(span: Any) -> None:
        configured(span)
        try:
            processor(span)
        except Exception:  # as MLflow does with those that are configured
            logger.warning("a span could not be filtered, and is stored empty", exc_info=True)

    mlflow.entities.span.apply_span_processors = apply_span_processors
    try:
        yield
    finally:
        mlflow.entities.span.apply_span_processors = configured


_HARMLESS = {
    # 3.9 takes a span that was not sampled for one that could not be started.
    "mlflow.tracing.fluent": "'NonRecordingSpan' object has no attribute 'context'",
    # 3.9 can't detach spans of asynchronous graphs, whose context is gone by then anyway.
    "mlflow.utils.autologging_utils": "was created in a different Context",
}


@contextmanager
def harmless_warnings_ignored() -> Iterator[None]:
    """Keep two messages of MLflow 3.9, of which there would be one for each span, out of the log."""
    filters = [(logging.getLogger(name), _Without(text)) for name, text in _HARMLESS.items()]
    for logger, one in filters:
        logger.addFilter(one)
    try:
        yield
    finally:
        for logger, one in filters:
            logger.removeFilter(one)


class _Without(logging.Filter):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def filter(self, record: logging.LogRecord) -> bool:
        return self._text not in record.getMessage()


_remote_traces: Counter[int] = Counter()
_remote_traces_lock = threading.Lock()


def trace_headers() -> dict[str, str]:
    """HTTP headers (W3C trace context) that make spans of another process children of the active span."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context=provider.get_current_context())
    return headers


@contextmanager
def remote_parent(headers: Mapping[str, str]) -> Iterator[None]:
    """Let spans be children of a span in another process, as its `trace_headers` tell.

    `mlflow.tracing.set_tracing_context_from_http_request_headers` does this for one request at a time: where a process
    serves several requests of one trace at once, the first that ends takes the others' spans with it. Here the last
    one tidies up. From 3.10, spans that are on their way would be dropped with the trace: they are handed on first.
    """
    context = TraceContextTextMapPropagator().extract(headers)
    otel_trace_id = get_current_span(context).get_span_context().trace_id
    if not otel_trace_id:
        yield
        return
    trace_id, manager = generate_mlflow_trace_id_from_otel_trace_id(otel_trace_id), InMemoryTraceManager.get_instance()
    with _remote_traces_lock:
        with manager.get_trace(trace_id) as known:
            is_ours = known is not None and not known.is_remote_trace  # caller and called are one process
        if not is_ours:
            if not _remote_traces[otel_trace_id]:
                info = TraceInfo(trace_id, trace_location=None, request_time=None, state=TraceState.IN_PROGRESS)
                manager.register_trace(otel_trace_id, info, is_remote_trace=True)
            _remote_traces[otel_trace_id] += 1
    token = provider.get_context_api().attach(context)
    try:
        yield
    finally:
        with suppress(ValueError):
            provider.get_context_api().detach(token)
        if not is_ours:
            for processor in tuple(getattr(base_mlflow, "_batch_processor_registry", ())):
                processor.force_flush()
            with _remote_traces_lock:
                _remote_traces[otel_trace_id] -= 1
                if not _remote_traces[otel_trace_id]:
                    del _remote_traces[otel_trace_id]
                    manager.pop_trace(otel_trace_id)


@contextmanager
def active_experiment(experiment_id: str) -> Iterator[None]:
    """Make this the experiment of new runs and traces."""
    before = mlflow.tracking.fluent._active_experiment_id
    with environment({"MLFLOW_EXPERIMENT_ID": experiment_id}):
        mlflow.tracking.fluent._active_experiment_id = experiment_id
        try:
            yield
        finally:
            mlflow.tracking.fluent._active_experiment_id = before


@contextmanager
def langchain_autolog() -> Iterator[None]:
    """Turn `mlflow.langchain.autolog()` on, and back to what it was.

    The tracer's callbacks must not run inline: in asynchronous graphs that gives wrong parents, because LangChain ends
    runs in tasks of their own, where a span can't be made inactive again.
    """
    import mlflow.langchain
    from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

    before = dict(AUTOLOGGING_INTEGRATIONS.get("langchain") or {})
    mlflow.langchain.autolog(run_tracer_inline=False)
    try:
        with _user_spans_below_autolog():
            yield
    finally:
        if before and not before.get("disable"):
            mlflow.langchain.autolog(**before)
        else:
            mlflow.langchain.autolog(disable=True)
            AUTOLOGGING_INTEGRATIONS["langchain"] = before


@contextmanager
def _user_spans_below_autolog() -> Iterator[None]:
    """Let `mlflow.start_span` and `@mlflow.trace` in the nodes of asynchronous graphs find their parent.

    MLflow looks for an active span only, and finds none there: each such span would be a trace of its own.
    """
    original = provider.start_span_in_context

    def start_span_in_context(*args: Any, **kwargs: Any) -> Any:
        parent = autolog_span()
        if parent is None:
            return original(*args, **kwargs)
        token = attach_span(parent)
        try:
            return original(*args, **kwargs)
        finally:
            detach_span(token)

    provider.start_span_in_context = start_span_in_context
    try:
        yield
    finally:
        provider.start_span_in_context = original


def autolog_span() -> Any:
    """The span that autolog has made for the code that runs here, or the active span if that is further in.

    In asynchronous graphs autolog runs in other threads and can't make its spans active here; LangChain's own context
    knows which run this is. None where autolog has no span.
    """
    config = var_child_runnable_config.get()
    manager: Any = config.get("callbacks") if config else None
    run_id = getattr(manager, "parent_run_id", None)
    if run_id is None:
        return None
    for handler in manager.inheritable_handlers:
        if type(handler).__name__ == "MlflowLangchainTracer" and str(run_id) in handler._run_span_mapping:
            return handler._get_parent_span(run_id)
    return None


def context_tags(run_name: str) -> dict[str, str]:
    """The tags that `mlflow.start_run` gives to a run: its name, who ran it, from where."""
    tags: dict[str, str] = resolve_tags({MLFLOW_RUN_NAME: run_name})
    return tags


@contextmanager
def fluent_run(active_run: Any) -> Iterator[None]:
    """Make a run the active one of this thread, for users' own `mlflow.log_…` calls and for traces, which link to it.

    On exit exactly this run goes: `mlflow.end_run` would end the latest, in asynchronous graphs somebody else's.
    """
    if active_run is None:
        yield
        return
    stack = mlflow.tracking.fluent._active_run_stack.get()
    stack.append(active_run)
    try:
        yield
    finally:
        for index in reversed(range(len(stack))):
            if stack[index] is active_run:
                del stack[index]
                break


def raw_attributes(span: Any) -> dict[str, Any]:
    """A live span's attributes as they will be stored: JSON texts."""
    return dict(span._span.attributes or {})


def replace_raw_attribute(span: Any, key: str, new_key: str | None, value: Any) -> None:
    """Replace an attribute of a live span, its key too; None removes it."""
    attributes = span._span._attributes
    del attributes[key]
    if new_key is not None:
        attributes[new_key] = value


def rewrite_events(span: Any, rewrite: Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]] | None]) -> None:
    """Give each event of a live span a new name and new attributes; None removes it."""
    events = span._span._events
    kept = []
    for event in events:
        rewritten = rewrite(event.name, event.attributes or {})
        if rewritten is not None:
            kept.append(Event(rewritten[0], attributes=rewritten[1], timestamp=event.timestamp))
    events._dq.clear()
    events.extend(kept)


def rewrite_status(span: Any, rewrite: Callable[[str], str]) -> None:
    """Give the status of a live span a new description."""
    status = span._span._status
    if status.description:
        span._span._status = Status(status.status_code, rewrite(status.description))


def rename(span: Any, name: str) -> None:
    """Give a live span a new name."""
    span._span._name = name


def rewrite_attachments(span: Any, rewrite: Callable[[bytes], bytes]) -> None:
    """Give each attachment of a live span new content; MLflow has attachments from 3.11."""
    for attachment in getattr(span, "_attachments", {}).values():
        attachment._content_bytes = rewrite(attachment._content_bytes)


def rewrite_links(span: Any, rewrite: Callable[[Any], Any]) -> None:
    """Give each link of a live span new attributes; MLflow has links from 3.12."""
    for link in getattr(span, "_links", ()):
        if link.attributes:
            rewritten = rewrite(dict(link.attributes))
            link.attributes.clear()
            link.attributes.update(rewritten)


@contextmanager
def trace_under_way(trace_id: str) -> Iterator[Any]:
    """MLflow's record of a trace that has not ended (`info`, `span_dict`), locked; None if there is none."""
    with InMemoryTraceManager.get_instance().get_trace(trace_id) as trace:
        yield trace
