"""Made-up values that fit a JSON schema, or on purpose do not."""

from random import Random
from typing import Any

NOTE = "Made up by a mock model; it says nothing about quality."
_POSITIVE = ("yes", "true", "good", "pass", "none", "correct", "relevant", "grounded")


def value_for(schema: dict[str, Any], random: Random, positive_rate: float, root: dict[str, Any] | None = None) -> Any:
    """A value of this schema. Verdicts are positive with the given probability."""
    root = schema if root is None else root
    if "$ref" in schema:
        return value_for(root["$defs"][schema["$ref"].rpartition("/")[2]], random, positive_rate, root)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            options = [one for one in schema[union] if one.get("type") != "null"]
            return value_for(options[0], random, positive_rate, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(schema["enum"], random, positive_rate)
    kind = schema.get("type", "object")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    match kind:
        case "boolean":
            return random.random() < positive_rate
        case "integer":
            return _number(schema, random, positive_rate, whole=True)
        case "number":
            return _number(schema, random, positive_rate, whole=False)
        case "array":
            items = schema.get("items", {"type": "string"})
            return [value_for(items, random, positive_rate, root) for _ in range(max(1, schema.get("minItems", 1)))]
        case "object":
            parts = schema.get("properties", {})
            return {name: value_for(part, random, positive_rate, root) for name, part in parts.items()}
    return NOTE


def unfit_value(schema: dict[str, Any] | None) -> Any:
    """An object whose every field has another type than the schema asks for."""
    names = (schema or {}).get("properties") or {"result": {}, "rationale": {}}
    return {name: _unfit(part) for name, part in names.items()}


def _unfit(part: dict[str, Any]) -> Any:
    if "enum" in part:
        return "none of the allowed values"
    return {"boolean": "perhaps", "integer": "about three", "number": "a lot"}.get(part.get("type", ""), [42])


def _choice(options: list[Any], random: Random, positive_rate: float) -> Any:
    positive = [one for one in options if str(one).lower() in _POSITIVE] or options[:1]
    others = [one for one in options if one not in positive] or positive
    return random.choice(positive if random.random() < positive_rate else others)


def _number(schema: dict[str, Any], random: Random, positive_rate: float, *, whole: bool) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + (10 if whole else 1)))
    middle = (low + high) / 2
    upper = random.random() < positive_rate
    if whole:
        first, last = (int(-(-middle // 1)), int(high)) if upper else (int(-(-low // 1)), int(middle))
        return random.randint(min(first, last), max(first, last))
    return round(random.uniform(middle, high) if upper else random.uniform(low, middle), 3)
