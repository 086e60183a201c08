"""A graph of the user's own: named in `langgraph.json`, or by an import path."""

import asyncio
import inspect
import json
import os
from pathlib import Path
from typing import Any

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.workflows.importing import import_attribute, make_importable


def load_graph(reference: str) -> Pregel[Any, Any, Any, Any]:
    """The compiled graph of `langgraph.json[#name]`, `package.module:attribute` or `file.py:attribute`.

    The attribute is a compiled graph, a StateGraph, or a function (asynchronous, or taking a config, too) that returns
    one. Raises ConfigError, with the original error, where it can't be had.
    """
    path, _, name = reference.partition("#")
    if path.endswith(".json"):
        reference = _from_langgraph_json(Path(path), name or None)
    found = import_attribute(reference, "graph")
    if callable(found) and not isinstance(found, (Pregel, StateGraph)):
        found = _called(found, reference)
    if isinstance(found, StateGraph):
        found = found.compile()
    if not isinstance(found, Pregel):
        raise ConfigError(
            f"{reference} is a {type(found).__name__}, not a LangGraph graph",
            hint="name a compiled graph, a StateGraph, or a function that returns one",
        )
    return found


def _called(factory: Any, reference: str) -> Any:
    try:
        wanted = [
            parameter
            for parameter in inspect.signature(factory).parameters.values()
            if parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        made = factory({"configurable": {}}) if wanted else factory()
        if inspect.isawaitable(made):
            made = asyncio.run(_awaited(made))
    except Exception as error:
        raise ConfigError(f"{reference} failed to make a graph: {type(error).__name__}: {error}") from error
    return made


async def _awaited(made: Any) -> Any:
    return await made


def _from_langgraph_json(path: Path, name: str | None) -> str:
    """`file.py:attribute` of the named graph, or of the only one. Its folder and `env` are set up as LangGraph does."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=path) from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"this is not JSON: {error.msg}", file=path, line=error.lineno, column=error.colno) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file can't be read: {error}", file=path) from error
    graphs = content.get("graphs") if isinstance(content, dict) else None
    if not isinstance(graphs, dict) or not graphs:
        raise ConfigError("it names no graphs", file=path, hint='write {"graphs": {"agent": "./agent.py:graph"}}')
    if name is None and len(graphs) > 1:
        raise ConfigError(f"it names {len(graphs)} graphs", file=path, hint=f"choose one: {path}#{next(iter(graphs))}")
    chosen = name or next(iter(graphs))
    if chosen not in graphs:
        raise ConfigError(f"it names no graph {chosen!r}", file=path, hint=nearest(chosen, graphs))
    target = graphs[chosen].get("path") if isinstance(graphs[chosen], dict) else graphs[chosen]
    if not isinstance(target, str):
        raise ConfigError(f"graph {chosen!r} has no path", file=path, hint='write "./agent.py:graph"')
    folder = path.resolve().parent
    make_importable(folder)
    _set_environment(content.get("env"), folder, path)
    module, colon, attribute = target.rpartition(":")
    return f"{(folder / module).resolve()}{colon}{attribute}" if module.endswith(".py") else target


def _set_environment(env: Any, folder: Path, path: Path) -> None:
    """Variables of `env`, a mapping or a .env file; what is set already stays."""
    if isinstance(env, str):
        file = folder / env
        if not file.is_file():
            raise ConfigError(f"its env file {env!r} does not exist", file=path)
        from dotenv import dotenv_values

        env = dotenv_values(file)
    for key, value in (env or {}).items():
        if value is not None:
            os.environ.setdefault(key, str(value))
