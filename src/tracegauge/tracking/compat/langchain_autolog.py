"""`mlflow.langchain.autolog()` for a while, and the spans that it makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config
from mlflow.tracing import provider

from tracegauge.tracking.compat.active_span import attach_span, detach_span


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
