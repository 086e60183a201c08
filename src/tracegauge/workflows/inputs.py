"""Inputs of a workflow: from a file, or made up."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from langgraph.pregel import Pregel
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.shipped import find_file
from tracegauge.config.state_values import StateValues
from tracegauge.config.validation import causes, one_error
from tracegauge.config.workflow import State, StateField
from tracegauge.config.yaml_file import KeyPath, YamlDocument, load_any_yaml

_SAMPLE_TEXT = "tidal power"
_SAMPLES: dict[str, Any] = {"int": 3, "float": 0.5, "bool": True, "list": [_SAMPLE_TEXT], "dict": {}, "object": {}}
_QUESTION = "What speaks for tidal power, and what is 12 * 365?"
BESIDE = ("inputs.yaml", "inputs.yml", "inputs.json")
"""Files beside a `langgraph.json` that are taken for its inputs."""


Source = str | YamlDocument
"""Where inputs come from: a name, or the document that they stand in, so that errors have their line and column."""


def read_inputs(reference: str | Path) -> tuple[list[dict[str, Any]], YamlDocument]:
    """One input or a list of them from a JSON or YAML file, and the file. Raises ConfigError for anything else."""
    document = load_any_yaml(find_file(reference))
    values = document.data if isinstance(document.data, list) else [document.data]
    if not values:
        raise document.error("the file has no inputs", (), hint="write one mapping, or a list of mappings")
    for number, one in enumerate(values):
        if not isinstance(one, dict):
            raise _error(document, number, f"is {one!r}, not a mapping", hint="write `field: value` lines")
    return values, document


def _error(
    source: Source, number: int, message: str, path: KeyPath = (), *, of_key: bool = False, hint: str | None = None
) -> ConfigError:
    """An error about the input of this number, from 0; `path` leads to the part that it is about."""
    if isinstance(source, str):
        return ConfigError(f"the input {message}", file=source, hint=hint)
    if isinstance(source.data, list):
        return source.error(f"input {number + 1} {message}", (number, *path), of_key=of_key, hint=hint)
    return source.error(f"the input {message}", path, of_key=of_key, hint=hint)


def state_inputs(state: State, inputs: Sequence[Mapping[str, Any]], source: Source) -> tuple[dict[str, Any], ...]:
    """Inputs with the state's defaults filled in. Raises ConfigError, which names field and source, for a misfit."""
    values = StateValues(state.fields)
    fitting = []
    for number, one in enumerate(inputs):
        try:
            fitting.append(values.complete(one))
        except ValidationError as error:
            raise one_error(_misfit(state, source, number, one) for one in causes(error)) from None
    return tuple(fitting)


def _misfit(state: State, source: Source, number: int, error: ErrorDetails) -> ConfigError:
    path = error["loc"]
    field = ".".join(str(part) for part in path)
    given = ", ".join(f"{name}: {one.type}{' (required)' * one.required}" for name, one in state.fields.items())
    match error["type"]:
        case "missing":
            return _error(source, number, f"lacks the required field {field!r}", path, hint=f"the fields are {given}")
        case "extra_forbidden":
            near = nearest(str(path[-1]), _fields_at(state, path))
            return _error(source, number, f"has an unknown field {field!r}", path, of_key=True, hint=near)
    message = f"does not fit in the field {field!r}: {error['msg']} (given: {error['input']!r})"
    return _error(source, number, message, path, hint=f"the fields are {given}")


def _fields_at(state: State, path: KeyPath) -> Mapping[str, StateField]:
    """The fields beside the one that the path names."""
    fields: Mapping[str, StateField] = state.fields
    for part in path[:-1]:
        fields = fields[str(part)].fields or {} if str(part) in fields else {}
    return fields


def sample_input(state: State) -> dict[str, Any]:
    """An input with made-up values for the required fields."""
    return {name: _sample(field) for name, field in state.fields.items() if field.required}


def _sample(field: StateField) -> Any:
    if field.fields:
        return {name: _sample(inner) for name, inner in field.fields.items() if inner.required}
    if field.type.name == "list" and field.type.arguments:
        return [_sample(StateField(type=field.type.arguments[0])) for _ in range(2)]
    return _SAMPLES.get(field.type.name, _SAMPLE_TEXT)


def graph_inputs(
    graph: Pregel[Any, Any, Any, Any], inputs: Sequence[Mapping[str, Any]], source: Source
) -> tuple[dict[str, Any], ...]:
    """Inputs for a graph of the user's own, whose state may be of any kind: names and plain types are checked.

    Raises ConfigError for a field that the state doesn't have, and for a value that is not of the field's plain type.
    """
    known = field_schemas(graph)
    for number, one in enumerate(inputs):
        for name, value in one.items():
            if not known:
                continue
            if name not in known:
                raise _error(
                    source, number, f"has an unknown field {name!r}", (name,), of_key=True, hint=nearest(name, known)
                )
            kind = known[name].get("type")
            if kind in _PLAIN and not _is_plain(value, kind):
                raise _error(
                    source,
                    number,
                    f"does not fit in the field {name!r}: it is {value!r}",
                    (name,),
                    hint=f"the state says {kind}",
                )
    return tuple(dict(one) for one in inputs)


def sample_graph_input(graph: Pregel[Any, Any, Any, Any], reference: str) -> dict[str, Any]:
    """A question for a graph that takes messages. Raises ConfigError for any other."""
    known = field_schemas(graph)
    if "messages" not in known:
        raise ConfigError(
            f"{reference} needs inputs: its state has {', '.join(sorted(known)) or 'fields that can not be told'}",
            hint="name a JSON or YAML file with one input, or a list of them (--inputs, or `inputs` in a campaign)",
        )
    return {"messages": [{"role": "user", "content": _QUESTION}]}


def field_schemas(graph: Pregel[Any, Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the fields that the graph takes; none where they can't be told.

    A field whose type has no plain JSON Schema has an empty one.
    """
    try:
        return dict(graph.get_input_jsonschema().get("properties", {}))
    except Exception:  # pydantic refuses some states, such as any TypedDict of Python 3.11's own typing
        state = getattr(getattr(graph, "builder", None), "input_schema", None)
        try:
            return {name: _plain_schema(kind) for name, kind in get_type_hints(state).items()}
        except Exception:  # a state that is no class, or whose types can't be found
            return {}


_PLAIN = {"integer": int, "number": float, "boolean": bool, "string": str}
_CONTAINERS = {"array": list, "object": dict}


def _plain_schema(kind: Any) -> dict[str, Any]:
    origin = get_origin(kind) or kind
    names = [name for name, one in (_PLAIN | _CONTAINERS).items() if one is origin]
    return {"type": names[0]} if names else {}


def _is_plain(value: Any, kind: str) -> bool:
    """Whether a value is of the JSON type, as loosely as Python takes it: a whole number is a number too."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, (int, float) if kind == "number" else _PLAIN[kind])
