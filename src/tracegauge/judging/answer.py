"""What a model is asked to answer with, and whether its answer fits."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from tracegauge.config.judge_fields import ValueType
from tracegauge.results.judgement import Value

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


@dataclass(frozen=True)
class Verdict:
    """An answer that fits."""

    value: Value
    rationale: str


class AnswerError(ValueError):
    """An answer that does not fit; the message can be shown to the model that gave it."""


class MalformedError(AnswerError):
    """It is no JSON object with a result."""


class OutOfTypeError(AnswerError):
    """Its result is not of the declared type."""


def value_schema(value: ValueType) -> dict[str, Any]:
    """The JSON schema of a value."""
    match value.type:
        case "bool":
            return {"type": "boolean"}
        case "categories":
            return {"type": "string", "enum": list(value.categories)}
        case "integer":
            return {"type": "integer", "minimum": _whole(value.minimum), "maximum": _whole(value.maximum)}
        case "float":
            return {"type": "number", "minimum": value.minimum, "maximum": value.maximum}
    return {"type": "string"}


def answer_schema(value: ValueType, *, rationale_first: bool) -> dict[str, Any]:
    """The JSON schema of an answer: a rationale and a result, in the order in which they are to be written."""
    parts = {
        "rationale": {"type": "string", "description": "The reasons for the result, in a few sentences."},
        "result": value_schema(value),
    }
    order = ["rationale", "result"] if rationale_first else ["result", "rationale"]
    return {
        "type": "object",
        "properties": {name: parts[name] for name in order},
        "required": order,
        "additionalProperties": False,
    }


def value_in_words(value: ValueType) -> str:
    """What a result may be, for a prompt or an error."""
    match value.type:
        case "bool":
            return "true or false"
        case "categories":
            return f"one of {', '.join(json.dumps(one, ensure_ascii=False) for one in value.categories)}"
        case "integer":
            return f"a whole number from {_whole(value.minimum)} to {_whole(value.maximum)}"
        case "float":
            return f"a number from {value.minimum:g} to {value.maximum:g}"
    return "a text"


def read_answer(text: str, value: ValueType) -> Verdict:
    """The verdict in a model's answer. Raises MalformedError or OutOfTypeError."""
    content = json_object(text)
    rationale = content.get("rationale")
    return Verdict(fitting(content["result"], value), rationale if isinstance(rationale, str) else "")


def json_object(text: str) -> dict[str, Any]:
    """The JSON object with a `result` in a model's answer, whatever stands around it. Raises MalformedError."""
    fenced = _FENCED.search(text)
    for candidate in (text, fenced[1] if fenced else "", text[text.find("{") : text.rfind("}") + 1]):
        try:
            found = json.loads(candidate, strict=False)
        except json.JSONDecodeError:
            continue
        if isinstance(found, dict) and "result" in found:
            return found
        if isinstance(found, dict):
            raise MalformedError("the JSON object has no `result`")
    raise MalformedError(f"the answer is no JSON object: {' '.join(text.split())[:200]!r}")


def fitting(found: Any, value: ValueType) -> Value:
    """The value as declared: `4.0` is the integer 4, and categories may be spelt in other case.

    Raises OutOfTypeError.
    """
    match value.type:
        case "bool" if isinstance(found, bool):
            return found
        case "bool" if isinstance(found, str) and found.strip().lower() in ("true", "false"):
            return found.strip().lower() == "true"
        case "categories" if isinstance(found, str):
            same = [one for one in value.categories if one == found.strip()]
            alike = [one for one in value.categories if one.lower() == found.strip().lower()]
            if len(same or alike) == 1:
                return (same or alike)[0]
        case "integer" | "float" if _is_number(found) and _within(found, value):
            if value.type == "float":
                return float(found)
            if found == int(found):
                return int(found)
        case "text" if isinstance(found, str) and found.strip():
            return found
    shown = json.dumps(found, ensure_ascii=False, default=str)
    raise OutOfTypeError(f"the result {shown[:200]} is not {value_in_words(value)}")


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)


def _within(found: float, value: ValueType) -> bool:
    assert value.minimum is not None
    assert value.maximum is not None
    return value.minimum <= found <= value.maximum


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
