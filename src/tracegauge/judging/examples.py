"""Calibration sets: labelled examples in a JSONL file, which a judge is held against."""

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.shipped import find_file
from tracegauge.results.judgement import Value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExampleSpan(_Part):
    """A step below the root of an example's trace."""

    name: str = Field(min_length=1)
    type: str = "UNKNOWN"
    """MLflow's span type, such as RETRIEVER, TOOL, CHAT_MODEL."""
    inputs: JsonValue = None
    outputs: JsonValue = None
    duration_ms: float = Field(default=1.0, ge=0)
    error: str | None = None
    """Message of the error that the step ended with."""


class Turn(_Part):
    """One exchange of a conversation."""

    inputs: JsonValue
    outputs: JsonValue


class Example(_Part):
    """One line of a calibration set: what happened, and what the judge should say of it."""

    item: str = Field(min_length=1)
    """Id of the example, unique in its file."""
    label: Value
    """The right verdict."""
    source: Literal["synthetic", "human"]
    """`synthetic`: written for the purpose. `human`: a person judged something that really happened."""
    written_by: str = ""
    """Who wrote it or labelled it, such as `the project`."""
    inputs: JsonValue = None
    outputs: JsonValue = None
    expectations: dict[str, JsonValue] = Field(default={})
    spans: tuple[ExampleSpan, ...] = ()
    """Steps of the trace, one after the other."""
    turns: tuple[Turn, ...] = ()
    """For judges of conversations: a trace for each, instead of `inputs`, `outputs` and `spans`."""
    duration_ms: float | None = Field(default=None, ge=0)
    """Of the whole trace. Default: that of its spans together."""
    error: str | None = None
    """Message of the error that the trace ended with."""
    hard: bool = False
    """Whether people could well disagree on it."""
    note: str = ""
    """Why the label is right."""

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if self.turns and (self.inputs is not None or self.outputs is not None or self.spans):
            raise ValueError("an example has `turns`, or `inputs`, `outputs` and `spans`")
        if not self.turns and self.inputs is None:
            raise ValueError("an example needs `inputs`, or `turns` for a conversation")
        return self


def read_examples(path: str | Path) -> tuple[Example, ...]:
    """Read a calibration set, a JSON object on each line.

    Raises ConfigError with file and line for a line that is none, an unknown key, or an item that is there twice.
    """
    file = find_file(path)
    examples: dict[str, Example] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        example = _parse(line, file, number)
        if example.item in examples:
            raise ConfigError(f"the item {example.item!r} is there twice", file, number, hint="give each its own name")
        examples[example.item] = example
    if not examples:
        raise ConfigError("there are no examples in this file", file, hint="one JSON object on each line")
    return tuple(examples.values())


def _parse(line: str, file: Path, number: int) -> Example:
    try:
        data: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"no JSON: {error.msg}", file, number, error.colno) from None
    try:
        return Example.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function"))
        hint = nearest(str(first["loc"][-1]), Example.model_fields) if first["type"] == "extra_forbidden" else None
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{place}: {message}" if place else message, file, number, hint=hint) from None
