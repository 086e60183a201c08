"""A graph of the user's own: named in `langgraph.json`, or by an import path."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tracegauge.config.errors import ConfigError
from tracegauge.workflows.event_loop import run_in_thread_loop
from tracegauge.workflows.importing import failed, import_attribute
from tracegauge.workflows.langgraph_json import graph_reference


def load_graph(reference: str) -> Pregel[Any, Any, Any, Any]:
    """The compiled graph of `langgraph.json[#name]`, `package.module:attribute` or `file.py:attribute`.

    The attribute is a compiled graph, a StateGraph, or a function (asynchronous, or taking a config, too) that returns
    one. Raises ConfigError, with the original error, where it can't be had.
    """
    path, _, name = reference.partition("#")
    if path.endswith(".json"):
        reference = graph_reference(Path(path), name or None)
    found = import_attribute(reference, "graph")
    if callable(found) and not isinstance(found, (Pregel, StateGraph)):
        found = _called(found, reference)
    if isinstance(found, StateGraph):
        found = _compiled(found, reference)
    if not isinstance(found, Pregel):
        raise ConfigError(
            f"{reference} is a {type(found).__name__}, not a LangGraph graph",
            hint="name a compiled graph, a StateGraph, or a function that returns one",
        )
    return found


def _called(factory: Callable[..., Any], reference: str) -> Any:
    """What the function returns; as in LangGraph's own server it may want a config."""
    try:
        wanted = [
            parameter
            for parameter in inspect.signature(factory).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        made = factory({"configurable": {}}) if wanted else factory()
        return run_in_thread_loop(_awaited(made)) if inspect.isawaitable(made) else made
    except Exception as error:
        raise failed(f"{reference} made no graph", error) from error


async def _awaited(made: Any) -> Any:
    return await made


def _compiled(graph: StateGraph[Any, Any, Any, Any], reference: str) -> Pregel[Any, Any, Any, Any]:
    try:
        return graph.compile()
    except ValueError as error:
        raise ConfigError(f"{reference} can't be compiled: {error}") from error
