"""The form in which a node wants its answer, as JSON Schema."""

from collections.abc import Mapping
from typing import Any

from tracegauge.config.workflow import Node, StateField


def answer_schema(node: Node, fields: Mapping[str, StateField]) -> dict[str, Any] | None:
    """An object with a property for each output, which is what models take; None where the answer is one text."""
    type_ = node.output_schema.type if node.output_schema else fields[node.outputs[0]].type
    if len(node.outputs) == 1 and type_.name == "str":
        return None
    described = node.output_schema.description if node.output_schema else ""
    return {
        "title": node.id,
        "description": described or node.description or f"The answer of {node.id}.",
        **_object(_properties(node, fields)),
    }


def _properties(node: Node, fields: Mapping[str, StateField]) -> dict[str, dict[str, Any]]:
    schema = node.output_schema
    if schema is None:
        return {name: _of_field(fields[name]) for name in node.outputs}
    if not schema.fields:
        return {node.outputs[0]: schema.type.json_schema}
    return {
        part.name: _described(
            # What the state knows of an object's parts is worth telling the model.
            _of_field(fields[part.name]) if _has_parts(fields.get(part.name)) else part.type.json_schema,
            part.description,
        )
        for part in schema.fields
    }


def _has_parts(field: StateField | None) -> bool:
    return field is not None and bool(field.fields)


def _of_field(field: StateField) -> dict[str, Any]:
    if not field.fields:
        return _described(field.type.json_schema, field.description)
    return _described(_object({name: _of_field(part) for name, part in field.fields.items()}), field.description)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description} if description else schema
