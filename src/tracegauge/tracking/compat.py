"""What is private in MLflow, or differs between its versions. Nothing else in tracegauge may know either."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import mlflow
import mlflow.tracing
import mlflow.tracing.config
import mlflow.tracking.fluent
from langchain_core.runnables.config import var_child_runnable_config
from mlflow.tracing import provider
from mlflow.tracking._tracking_service import utils as tracking_service

from tracegauge.tracking.environment import environment


def reset_tracer_provider() -> None:
    """Have MLflow build its span processor and exporter anew, from the settings of now, at the next span.

    3.17 exports what the outgoing processor has queued; earlier versions export it from the old one's threads.
    """
    provider.reset()


def attach_span(span: Any) -> Any:
    """Make the span the active one of this context; the token is for `detach_span`."""
    return provider.set_span_in_context(span)


def detach_span(token: Any) -> None:
    """Undo `attach_span`. A token of another context, as left by generators closed elsewhere, is no error."""
    with suppress(ValueError):
        provider.detach_span_from_context(token)


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
