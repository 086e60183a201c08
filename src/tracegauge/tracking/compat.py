"""What is private in MLflow, or differs between its versions. Nothing else in tracegauge may know either."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import mlflow
import mlflow.tracing
import mlflow.tracing.config
import mlflow.tracking.fluent
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

    The tracer's callbacks must not run inline: that gives wrong parents in asynchronous graphs.
    """
    import mlflow.langchain
    from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

    before = dict(AUTOLOGGING_INTEGRATIONS.get("langchain") or {})
    mlflow.langchain.autolog(run_tracer_inline=False)
    try:
        yield
    finally:
        if before and not before.get("disable"):
            mlflow.langchain.autolog(**before)
        else:
            mlflow.langchain.autolog(disable=True)
            AUTOLOGGING_INTEGRATIONS["langchain"] = before
