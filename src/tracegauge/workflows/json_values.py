"""Values that fit a JSON Schema, made up deterministically."""

import random
from typing import Any

_DEPTH = 8
_STRING_LENGTH = 60


def value_for(schema: dict[str, Any], rng: random.Random, text: str) -> Any:
    """A value that fits the schema; strings are taken from `text`, and `enum`, `const` and `examples` are respected.

    All properties of an object are given, required or not.
    """
    return _value(schema, schema.get("$defs", {}), rng, text, _DEPTH)


def _value(schema: dict[str, Any], definitions: dict[str, Any], rng: random.Random, text: str, depth: int) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for choices in ("enum", "examples"):
        if schema.get(choices):
            return rng.choice(schema[choices])
    if "const" in schema:
        return schema["const"]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _value(schema[union][0], definitions, rng, text, depth)
    kind = schema.get("type", "string")
    low, high = schema.get("minimum", 0), schema.get("maximum", 10)
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties", {}) if depth else {}
            return {name: _value(part, definitions, rng, text, depth - 1) for name, part in properties.items()}
        case "array":
            length = max(schema.get("minItems", 0), min(2, schema.get("maxItems", 2))) if depth else 0
            items = schema.get("items") or {"type": "string"}
            return [_value(items, definitions, rng, text, depth - 1) for _ in range(length)]
        case "integer":
            return rng.randint(int(low), int(high))
        case "number":
            return round(rng.uniform(float(low), float(min(high, max(low, 1)))), 3)
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case _:
            words = text.split() or ["nothing"]
            start = rng.randrange(len(words))
            return " ".join(words[start:] + words[:start])[:_STRING_LENGTH]
