"""What values a judge and people may say, read from a judge's file or found in the values themselves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.config.judge_fields import ValueType
from tracegauge.results.judgement import Value
from tracegauge.statistics.agreement import Level, Weights

PAIRWISE = ("A>B", "A=B", "B>A")
"""Verdicts of a pairwise judge: which of two answers is better, or neither."""
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class NotOnScaleError(ValueError):
    """A value is none that the scale has; the message says what is right."""


@dataclass(frozen=True)
class Scale:
    """The values of a judge."""

    kind: Literal["bool", "categories", "integer", "float", "pairwise"]
    categories: tuple[Value, ...]
    """In their order; empty for `float`."""
    ordered: bool
    good: Callable[[Value], bool | None]
    """Whether a value is good; None where that is not defined."""

    @property
    def weights(self) -> Weights:
        """Of kappa: values with an order are weighted by the square of the steps between them."""
        return "quadratic" if self.ordered else "none"

    @property
    def level(self) -> Level:
        """Of alpha."""
        return "interval" if self.kind == "float" else "ordinal" if self.ordered else "nominal"

    def parse(self, raw: Value) -> Value:
        """A value as it stands in a file, as one of this scale. Raises NotOnScaleError."""
        text = str(raw).strip()
        match self.kind:
            case "bool":
                if text.lower() in _TRUE or text.lower() in _FALSE:
                    return text.lower() in _TRUE
            case "float" | "integer":
                number = _number(text)
                if number is not None and self.kind == "float":
                    return number
                if number is not None and number in self.categories:
                    return int(number)
            case _:
                if text in self.categories:
                    return text
        names = ", ".join(str(one).lower() if self.kind == "bool" else str(one) for one in self.categories)
        raise NotOnScaleError(f"{text!r} is not {f'one of {names}' if names else 'a number'}")


def scale_of(spec: JudgeSpec) -> Scale:
    """The scale that a judge's file declares. Raises ConfigError for text, which can't agree or disagree."""
    value: ValueType = spec.value
    if value.type == "text":
        raise ConfigError(
            f"judge {spec.name!r} says texts, and those can't be held against labels",
            hint="give it `value: bool`, categories or a number",
        )
    if value.type == "integer":
        assert value.minimum is not None
        assert value.maximum is not None
        return Scale("integer", tuple(range(int(value.minimum), int(value.maximum) + 1)), True, spec.good)
    if value.type == "categories":
        pairwise = is_pairwise(spec)
        names = tuple(one for one in PAIRWISE if one in value.categories) if pairwise else value.categories
        return Scale("pairwise" if pairwise else "categories", names, value.ordered, spec.good)
    return Scale(value.type, (False, True) if value.type == "bool" else (), False, spec.good)


def is_pairwise(spec: JudgeSpec) -> bool:
    """Whether a judge compares two answers: its categories are A>B and B>A, perhaps with A=B."""
    return {"A>B", "B>A"} <= set(spec.value.categories) <= set(PAIRWISE)


def scale_found(values: Iterable[Value], positive: str | None = None) -> Scale:
    """The scale that values themselves suggest; `positive` names the good one.

    Raises ConfigError if `positive` is none of the values.
    """
    texts = {str(value).strip() for value in values}
    lowered = {text.lower() for text in texts}
    numbers = [_number(text) for text in texts]
    if texts & {"A>B", "B>A"}:
        return Scale("pairwise", PAIRWISE, False, lambda _: None)
    if lowered <= {"true", "false"}:
        return Scale("bool", (False, True), False, lambda value: bool(value) == (positive or "true").startswith("t"))
    if all(number is not None for number in numbers):
        known = [number for number in numbers if number is not None]
        if all(number.is_integer() for number in known) and max(known) - min(known) <= 100:
            categories: tuple[Value, ...] = tuple(range(int(min(known)), int(max(known)) + 1))
            if set(known) <= {0, 1}:
                return Scale("integer", (0, 1), False, lambda value: value == int(positive or 1))
            return Scale("integer", categories, True, _equal_to(positive, categories))
        return Scale("float", (), False, lambda _: None)
    named = tuple(sorted(texts))
    chosen = positive or next((one for one in named if one.lower() in ("yes", "pass", "good")), None)
    return Scale("categories", named, False, _equal_to(chosen, named))


def _equal_to(positive: str | None, categories: tuple[Value, ...]) -> Callable[[Value], bool | None]:
    if positive is None:
        return lambda _: None
    if positive not in {str(one) for one in categories}:
        raise ConfigError(
            f"--positive {positive}: no label or verdict has this value",
            hint=f"the values are {', '.join(map(str, categories))}",
        )
    return lambda value: str(value) == positive


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
