"""Values that fit a JSON Schema, made up deterministically."""

import random
import re
from typing import Any

_EXAMPLE = re.compile(r"such as (.+)$")
_DEPTH = 5
"""From this depth on only what a schema requires is given: it may contain itself."""
_STRING_LENGTH = 60


def value_for(schema: dict[str, Any], rng: random.Random, text: str) -> Any:
    """A value that fits the schema; strings are taken from `text`, or from a description that ends in `such as …`.

    Of an object all properties are given, required or not. Respected are `enum`, `const`, `examples`, bounds of
    numbers, and lengths of strings and arrays; not `pattern` or `format`.
    """
    return _value(schema, schema.get("$defs", {}), rng, text, _DEPTH)


def _value(schema: dict[str, Any], definitions: dict[str, Any], rng: random.Random, text: str, depth: int) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return schema["const"]
    for choices in ("enum", "examples"):
        if schema.get(choices):
            return rng.choice(schema[choices])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            members = sorted(schema[union], key=lambda one: depth <= 0 and one.get("type") != "null")
            return _value(members[0], definitions, rng, text, depth)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            required = schema.get("required", ())
            return {
                name: _value(part, definitions, rng, text, depth - 1)
                for name, part in schema.get("properties", {}).items()
                if depth > 0 or name in required
            }
        case "array":
            length = max(schema.get("minItems", 0), min(2, schema.get("maxItems", 2)) if depth > 0 else 0)
            items = schema.get("items") or {"type": "string"}
            return [_value(items, definitions, rng, text, depth - 1) for _ in range(length)]
        case "integer":
            low, high = _bounds(schema, span=10, step=1)
            return rng.randint(int(low), int(high))
        case "number":
            low, high = _bounds(schema, span=1, step=0.01)
            return min(high, max(low, round(rng.uniform(low, high), 2)))
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case _:
            return _string(schema, rng, text)


def _bounds(schema: dict[str, Any], span: float, step: float) -> tuple[float, float]:
    """The lowest and the highest number allowed; `span` apart where the schema leaves it open."""
    low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if low is None:
        low = min(0, high - span) if high is not None else 0
    return low, max(low, low + span if high is None else min(high, low + span))


def _string(schema: dict[str, Any], rng: random.Random, text: str) -> str:
    example = _EXAMPLE.search(schema.get("description", ""))  # LangChain leaves `examples` out of a tool's schema
    if example:
        return example[1]
    words = text.split() or ["nothing"]
    start = rng.randrange(len(words))
    turned = " ".join(words[start:] + words[:start])
    shortest: int = schema.get("minLength", 0)
    longest: int = min(schema.get("maxLength", _STRING_LENGTH), max(shortest, _STRING_LENGTH))
    return (turned * (1 + shortest // len(turned)))[:longest]
