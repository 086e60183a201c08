"""Values for the fields of a workflow's state: whether they fit, and what stands there before anything is written."""

import copy
from collections.abc import Mapping
from typing import Any, NotRequired, Required

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from tracegauge.config.workflow import StateField

ZERO_VALUES: dict[str, Any] = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "dict": {}, "object": {}}
"""What an optional field without a default holds, by its type."""


class StateValues:
    """Checks values against the fields of a state, or of one object in it."""

    def __init__(self, fields: Mapping[str, StateField]) -> None:
        self._fields = fields
        self._adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(_mapping_type(fields))

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, read as their fields' types, and defaults for the fields that are missing.

        Raises pydantic's ValidationError for a value that doesn't fit, an unknown field, or a missing required one.
        """
        return _with_defaults(self._fields, self._adapter.validate_python(dict(values)))


class FieldValue:
    """Checks values against one field."""

    def __init__(self, field: StateField) -> None:
        self._field = field
        self._adapter: TypeAdapter[Any] = TypeAdapter(_annotation(field))

    def fitting(self, value: Any) -> Any:
        """The value, read as the field's type: "3" fits an int. Raises pydantic's ValidationError if it doesn't fit."""
        return _completed(self._field, self._adapter.validate_python(value))


def _mapping_type(fields: Mapping[str, StateField]) -> Any:
    keys = {name: (Required if field.required else NotRequired)[_annotation(field)] for name, field in fields.items()}
    mapping = TypedDict("Fields", keys)  # type: ignore[misc]
    mapping.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    return mapping


def _annotation(field: StateField) -> Any:
    annotation = _mapping_type(field.fields) if field.fields else field.type.annotation
    may_be_none = "default" in field.model_fields_set and field.default is None
    return annotation | None if may_be_none else annotation


def _with_defaults(fields: Mapping[str, StateField], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _completed(field, values[name]) if name in values else default_of(field) for name, field in fields.items()
    }


def _completed(field: StateField, value: Any) -> Any:
    return _with_defaults(field.fields, value) if field.fields and isinstance(value, dict) else value


def default_of(field: StateField) -> Any:
    """What the field holds if it is not given: its default, else an empty value of its type."""
    if "default" in field.model_fields_set:
        return _completed(field, copy.deepcopy(field.default))
    return _with_defaults(field.fields, {}) if field.fields else copy.copy(ZERO_VALUES[field.type.name])
