"""What MLflow holds for the whole process: its tracking URI, its experiment, its opt-in for file stores."""

from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import mlflow.environment_variables
import mlflow.tracing
import mlflow.tracing.config
import mlflow.tracking.fluent
from mlflow.tracing import provider
from mlflow.tracking._tracking_service import utils as tracking_service

from tracegauge.tracking.compat.tracer_provider import reset_tracer_provider
from tracegauge.tracking.environment import environment


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
