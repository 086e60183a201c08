"""Checks of state fields, and of names that must be state fields."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from tracegauge.config.errors import nearest
from tracegauge.config.state_values import FieldValue
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import StateField, WorkflowFile
from tracegauge.config.yaml_file import KeyPath


def field_faults(fields: Mapping[str, StateField], path: KeyPath) -> Iterator[PlacedError]:
    """What is wrong with the fields of a state, or of an object in it."""
    for name, field in fields.items():
        place = (*path, name)
        if field.fields:
            yield from field_faults(field.fields, (*place, "schema"))
        if "default" in field.model_fields_set:
            try:
                FieldValue(field).fitting(field.default)
            except ValidationError as error:
                why = error.errors(include_url=False)[0]["msg"]
                message = f"the default {field.default!r} does not fit the type {field.type}: {why}"
                yield PlacedError(message, *place, "default", of_key=False)


def path_faults(
    names: tuple[str, ...],
    fields: Mapping[str, StateField] | None,
    place: KeyPath,
    what: str,
    more: tuple[str, ...] = (),
) -> Iterator[PlacedError]:
    """`names` must lead to a field of the state, or to a field inside an object of it."""
    for depth, name in enumerate(names):
        if fields is None:
            return
        if name not in fields:
            known = [*(".".join((*names[:depth], one)) for one in fields), *(() if depth else more)]
            hint = nearest(".".join(names[: depth + 1]), known)
            yield PlacedError(f"the {what} {'.'.join(names)!r} names no state field", *place, of_key=False, hint=hint)
            return
        field = fields[name]
        if depth < len(names) - 1 and field.type.name not in ("object", "dict"):
            message = f"the {what} {'.'.join(names)!r} goes into {name!r}, which is a {field.type}"
            yield PlacedError(message, *place, of_key=False, hint="only an object or a dict has parts")
            return
        fields = field.fields


def type_faults(name: str, wanted: str, place: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    """A state field of this name must exist and have this type."""
    fields = workflow.state.fields
    if name not in fields:
        yield PlacedError(f"there is no state field {name!r}", *place, of_key=False, hint=nearest(name, fields))
    elif fields[name].type.name != wanted:
        yield PlacedError(f"the state field {name!r} is a {fields[name].type}, not a {wanted}", *place, of_key=False)
