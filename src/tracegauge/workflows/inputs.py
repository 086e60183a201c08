"""Inputs of a workflow: from a file, or made up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.pregel import Pregel
from pydantic import ValidationError

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.shipped import find_file
from tracegauge.config.workflow import State, StateField
from tracegauge.config.yaml_file import load_any_yaml
from tracegauge.workflows.state import fitting_input

_SAMPLE_TEXT = "tidal power"
_SAMPLES: dict[str, Any] = {"int": 3, "float": 0.5, "bool": True, "list": [_SAMPLE_TEXT], "dict": {}, "object": {}}
_QUESTION = "What speaks for tidal power, and what is 12 * 365?"
BESIDE = ("inputs.yaml", "inputs.yml", "inputs.json")
"""Files beside a `langgraph.json` that are taken for its inputs."""


def read_inputs(reference: str | Path) -> list[Mapping[str, Any]]:
    """One input or a list of them from a JSON or YAML file. Raises ConfigError for anything else."""
    path = find_file(reference)
    content = load_any_yaml(path)
    inputs = content if isinstance(content, list) else [content]
    if not inputs:
        raise ConfigError("the file has no inputs", file=path, hint="write one mapping, or a list of mappings")
    for number, one in enumerate(inputs, start=1):
        if not isinstance(one, dict):
            raise ConfigError(f"input {number} is {one!r}, not a mapping", file=path, hint="write `field: value` lines")
    return inputs


def state_inputs(state: State, inputs: list[Mapping[str, Any]], source: str) -> tuple[Mapping[str, Any], ...]:
    """Inputs with the state's defaults filled in. Raises ConfigError, naming field and source, where one doesn't fit."""
    fitting = []
    for number, one in enumerate(inputs, start=1):
        try:
            fitting.append(fitting_input(state, one))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigError(
                f"input {number} does not fit the workflow's state: {_problem(first['type'], field, first['msg'])}",
                file=source,
                hint=nearest(field, state.fields) if first["type"] == "extra_forbidden" else _fields_hint(state),
            ) from None
    return tuple(fitting)


def _problem(kind: str, field: str, message: str) -> str:
    if kind == "missing":
        return f"the required field {field!r} is missing"
    if kind == "extra_forbidden":
        return f"there is no field {field!r}"
    return f"{field}: {message}"


def _fields_hint(state: State) -> str:
    fields = (f"{name}: {field.type}{' (required)' * field.required}" for name, field in state.fields.items())
    return f"the fields are {', '.join(fields)}"


def sample_input(state: State) -> Mapping[str, Any]:
    """An input with made-up values for the required fields."""
    return {name: _sample(field) for name, field in state.fields.items() if field.required}


def _sample(field: StateField) -> Any:
    if field.fields:
        return {name: _sample(inner) for name, inner in field.fields.items() if inner.required}
    if field.type.name == "list" and field.type.arguments:
        return [_sample(StateField(type=field.type.arguments[0])) for _ in range(2)]
    return _SAMPLES.get(field.type.name, _SAMPLE_TEXT)


def graph_inputs(
    graph: Pregel[Any, Any, Any, Any], inputs: list[Mapping[str, Any]] | None, source: str
) -> tuple[Mapping[str, Any], ...]:
    """Inputs for a graph of the user's own, whose state may be of any kind: only the names of fields are checked.

    Without inputs, a graph that takes messages gets a question. Raises ConfigError otherwise.
    """
    known = _known_fields(graph)
    if inputs is None:
        if "messages" not in known:
            raise ConfigError(
                f"{source} needs inputs: its state is {', '.join(sorted(known)) or 'unknown'}",
                hint="name a JSON or YAML file with one input, or a list of them (--inputs, or `inputs` in a campaign)",
            )
        return ({"messages": [{"role": "user", "content": _QUESTION}]},)
    for number, one in enumerate(inputs, start=1):
        for name in one:
            if known and name not in known:
                raise ConfigError(
                    f"input {number} does not fit the graph's state: there is no field {name!r}",
                    file=source,
                    hint=nearest(name, known),
                )
    return tuple(inputs)


def _known_fields(graph: Pregel[Any, Any, Any, Any]) -> set[str]:
    try:
        return set(graph.get_input_jsonschema().get("properties", {}))
    except Exception:  # a state whose types have no JSON Schema; then nothing is checked
        return set()
