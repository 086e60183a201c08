"""`langgraph.json`: which graphs a project has, and what they need around them."""

import json
import os
from pathlib import Path
from typing import Any

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.workflows.importing import make_importable


def graph_reference(path: Path, name: str | None) -> str:
    """The import path of the graph of this name, or of the only one. Its surroundings are set up as LangGraph does:
    local `dependencies` can be imported, and the variables of `env` are set where they are not set already.

    Raises ConfigError for a file that can't be used, and for a graph that it doesn't name.
    """
    content = _read(path)
    chosen = _choose(content, name, path)
    folder = path.resolve().parent
    make_importable(folder)
    for dependency in content.get("dependencies") or ["."]:
        if isinstance(dependency, str) and dependency.startswith("."):  # else the name of an installed package
            make_importable((folder / dependency).resolve())
            make_importable((folder / dependency / "src").resolve())
    _set_environment(content.get("env"), folder, path)
    file, colon, attribute = chosen.rpartition(":")
    return f"{(folder / file).resolve()}{colon}{attribute}" if file.endswith(".py") else chosen


def only_graph(path: Path) -> str:
    """The name of the only graph in the file. Raises ConfigError like `graph_reference`."""
    graphs = _graphs(_read(path), path)
    if len(graphs) > 1:
        raise ConfigError(f"it names {len(graphs)} graphs", file=path, hint=f"choose one: {path}#{next(iter(graphs))}")
    return next(iter(graphs))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=path) from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"this is not JSON: {error.msg}", file=path, line=error.lineno, column=error.colno) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file can't be read: {error}", file=path) from None
    if not isinstance(content, dict):
        raise ConfigError("the file holds no object", file=path, hint='write {"graphs": {"agent": "./agent.py:graph"}}')
    return content


def _graphs(content: dict[str, Any], path: Path) -> dict[str, Any]:
    graphs = content.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise ConfigError("it names no graphs", file=path, hint='write {"graphs": {"agent": "./agent.py:graph"}}')
    return graphs


def _choose(content: dict[str, Any], name: str | None, path: Path) -> str:
    graphs = _graphs(content, path)
    chosen = name or only_graph(path)
    if chosen not in graphs:
        raise ConfigError(f"it names no graph {chosen!r}", file=path, hint=nearest(chosen, graphs))
    target = graphs[chosen].get("path") if isinstance(graphs[chosen], dict) else graphs[chosen]
    if not isinstance(target, str) or ":" not in target:
        raise ConfigError(f"the graph {chosen!r} has no import path", file=path, hint='write "./agent.py:graph"')
    return target


def _set_environment(env: Any, folder: Path, path: Path) -> None:
    if isinstance(env, str):
        file = folder / env
        if not file.is_file():
            hint = f"make it, an empty one will do, or take `env` out: looked for at {file}"
            raise ConfigError(f"its env file {env!r} does not exist", file=path, hint=hint)
        from dotenv import dotenv_values

        env = dotenv_values(file)
    if env is not None and not isinstance(env, dict):
        raise ConfigError("`env` is neither a file's name nor an object", file=path)
    for key, value in (env or {}).items():
        if value is not None:
            os.environ.setdefault(key, str(value))
