"""The state of a workflow file as LangGraph channels, and values that fit its fields."""

import copy
import operator
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from tracegauge.config.field_type import FieldType
from tracegauge.config.workflow import State, StateField, WorkflowFile

ZERO_VALUES: dict[str, Any] = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "dict": {}, "object": {}}


def state_type(workflow: WorkflowFile, counters: list[str]) -> tuple[type, type]:
    """The graph's state, and the part of it that callers see. `counters` are numbers that only the graph uses."""
    collected = {edge.parallel.collect_field for edge in workflow.edges if edge.parallel}
    public: dict[str, Any] = {
        name: Annotated[list, operator.add] if name in collected else field.type.annotation
        for name, field in workflow.state.fields.items()
    }
    hidden = {**dict.fromkeys(counters, int), "item": Any, "index": int}
    state = TypedDict("State", {**public, **hidden}, total=False)  # type: ignore[misc]
    return state, TypedDict("Public", public, total=False)  # type: ignore[misc]


def input_model(state: State) -> type[BaseModel]:
    """A pydantic model of what may be given as input: required fields, and all others with their defaults."""
    return _model("Input", state.fields)


def fitting_input(state: State, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The input with defaults filled in. Raises pydantic's ValidationError where it doesn't fit the state."""
    return input_model(state).model_validate(dict(inputs)).model_dump()


def coerce(value: Any, type_: FieldType) -> Any:
    """The value as the type has it, where a text can be read as such. Raises ValueError where it can't."""
    try:
        return TypeAdapter(type_.annotation).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{value!r} is no {type_}") from error


def _model(name: str, fields: Mapping[str, StateField]) -> type[BaseModel]:
    definitions: dict[str, Any] = {}
    for field_name, field in fields.items():
        annotation = _model(f"{name}_{field_name}", field.fields) if field.fields else field.type.annotation
        if field.required:
            definitions[field_name] = (annotation, ...)
        elif "default" in field.model_fields_set and field.default is not None:
            definitions[field_name] = (annotation, Field(default=field.default, validate_default=True))
        elif field.fields:
            definitions[field_name] = (annotation, Field(default_factory=annotation))
        else:
            definitions[field_name] = (annotation, Field(default_factory=_zero_of(field.type)))
    return create_model(name, __config__=ConfigDict(extra="forbid"), **definitions)


def _zero_of(type_: FieldType) -> Any:
    return lambda: copy.copy(ZERO_VALUES[type_.name])
