"""The parts of a judge file: value types, sampling, budget, retry, extraction, calibration."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracegauge.config.durations import Duration
from tracegauge.config.validation import PlacedError

_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Model(BaseModel):
    """What all parts of a judge file have in common: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ValueType(Model):
    """What a judge's verdict is. Short form: the type alone, as in `value: bool`."""

    type: Literal["bool", "categories", "integer", "float", "text"]
    categories: tuple[str, ...] = ()
    """The values that type `categories` may have."""
    ordered: bool = False
    """Whether the categories go from low to high, so that a near miss counts for more than a far one."""
    minimum: float | None = None
    """Of an integer or float: the smallest allowed value."""
    maximum: float | None = None

    @property
    def ordinal(self) -> bool:
        """Whether values have an order and are few: a range of integers, or ordered categories."""
        return self.type == "integer" or (self.type == "categories" and self.ordered)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        numeric = self.type in ("integer", "float")
        if (self.type == "categories") != bool(self.categories):
            hint = "write {type: categories, categories: [good, bad]}"
            raise PlacedError("`categories` goes with type categories, and is needed there", "categories", hint=hint)
        if len({*self.categories}) != len(self.categories) or len(self.categories) == 1:
            raise PlacedError("at least two different categories are needed", "categories", of_key=False)
        if not numeric and (self.minimum is not None or self.maximum is not None):
            raise PlacedError("`minimum` and `maximum` go with type integer or float", "type", of_key=False)
        if numeric and (self.minimum is None or self.maximum is None):
            hint = f"write {{type: {self.type}, minimum: 1, maximum: 5}}"
            raise PlacedError(f"type {self.type} needs `minimum` and `maximum`", "type", of_key=False, hint=hint)
        if numeric and self.minimum is not None and self.maximum is not None:
            if self.minimum >= self.maximum:
                raise PlacedError("`minimum` is not less than `maximum`", "minimum", of_key=False)
            if self.type == "integer" and (self.minimum % 1 or self.maximum % 1):
                raise PlacedError("the bounds of an integer are whole numbers", "minimum", of_key=False)
        return self


Passes = bool | Annotated[str, Field(pattern=rf"^{_COMPARISON.pattern}$", examples=[">= 4"])] | tuple[str, ...]
"""Which verdicts are good: true or false, a list of categories, or a comparison such as `>= 4`."""


def default_passes(value: ValueType) -> Passes | None:
    """Which verdicts are good where a file doesn't say."""
    if value.type == "bool":
        return True
    return ("yes",) if set(value.categories) == {"yes", "no"} else None


def passes_faults(passes: Passes | None, value: ValueType) -> str | None:
    """What is wrong with `passes` for a value type; None if nothing is."""
    match passes, value.type:
        case (None, _) | (bool(), "bool"):
            return None
        case tuple(), "categories":
            unknown = [one for one in passes if one not in value.categories]
            return f"{unknown[0]!r} is none of the categories" if unknown else None
        case str(), "integer" | "float":
            return None
    wanted = {"bool": "true or false", "categories": "a list of categories", "text": "nothing: a text can't pass"}
    return f"for values of type {value.type}, `passes` is {wanted.get(value.type, 'a comparison such as `>= 4`')}"


def passes_of(value: Any, passes: Passes | None) -> bool | None:
    """Whether a verdict is good; None where that is not defined."""
    match passes:
        case None:
            return None
        case bool():
            return bool(value == passes)
        case tuple():
            return value in passes
    comparison = _COMPARISON.fullmatch(passes)
    assert comparison
    limit = float(comparison[2])
    return bool({">=": value >= limit, "<=": value <= limit, ">": value > limit, "<": value < limit}[comparison[1]])


class Sampling(Model):
    """Which traces a judge sees."""

    rate: float = Field(default=1.0, ge=0, le=1)
    """Share of the traces, chosen by a hash of trace id and judge name: the same ones every time."""
    filter: str | None = None
    """An MLflow trace filter, such as `tags.env = 'production' AND status = 'OK'`."""
    max_age: Duration | None = None
    """Older traces are not due: `90s`, `15m`, `12h`, `7d`."""


class Budget(Model):
    """What a judge may spend per day (UTC). What is left over then is scored the next day."""

    calls: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    """Input and output tokens together."""
    usd: float | None = Field(default=None, gt=0)
    """US dollars. Refused where the price of the model is not known."""


class Retry(Model):
    """How a judgement that failed is tried again."""

    attempts: int = Field(default=4, ge=1, le=20)
    """Attempts in a row, before the judgement is put off."""
    first_wait_s: float = Field(default=1.0, gt=0)
    """Seconds before the second attempt; each further wait is twice as long, with jitter."""
    longest_wait_s: float = Field(default=60.0, gt=0)
    """No wait is longer, but for what an endpoint asks for with `Retry-After`."""


class Extract(Model):
    """Which parts of a trace a judge sees.

    `auto`: of a list of messages, as LangGraph's states hold them, the last human message (inputs) and the last AI
    message (outputs); else the whole value. `all`: the whole value. Anything else is a path of keys and indices
    such as `messages.-1.content`.
    """

    inputs: str = Field(default="auto", min_length=1)
    outputs: str = Field(default="auto", min_length=1)
    span_types: tuple[str, ...] = ()
    """Of these MLflow span types, such as RETRIEVER or TOOL, are the spans in `{{ trace }}`. Default: all."""
    max_chars: int = Field(default=100_000, ge=100)
    """Longer content is a failure, not a judgement of a part. Only spans in `{{ trace }}` are shortened, and say so."""


class Calibration(Model):
    """Labelled examples that the judge is held against."""

    dataset: str | None = None
    """A JSONL or CSV file of labelled examples."""
    minimum_kappa: float | None = Field(default=None, ge=-1, le=1)
    """`tracegauge judge apply` refuses a judge whose agreement (Cohen's kappa) is lower or not known."""
