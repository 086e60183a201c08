"""Runs as `mlflow.start_run` makes them, without its stack of active runs deciding which one is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlflow.tracking.fluent
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME


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
