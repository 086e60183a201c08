"""Workflow files: a LangGraph graph as YAML."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from tracegauge.config.condition import Condition, parse_condition
from tracegauge.config.field_type import FieldType, parse_field_type
from tracegauge.config.observability import ObservabilityConfig, one_observability
from tracegauge.config.placeholders import Template, parse_template
from tracegauge.config.validation import PlacedError

START = "START"
END = "END"

_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _identifier(text: str) -> str:
    if not re.fullmatch(_IDENTIFIER, text):
        raise ValueError(f"{text!r} is no identifier: letters, digits and _, and no digit first")
    return text


def _parsed(parse: Any, what: str) -> BeforeValidator:
    """Parse a text into what the model holds; leave alone what is parsed already."""

    def parsed(value: Any) -> Any:
        if isinstance(value, (Condition, FieldType, Template)):
            return value
        if not isinstance(value, str):
            raise ValueError(f"{what} is a text")  # noqa: TRY004 (pydantic passes a TypeError on)
        return parse(value)

    return BeforeValidator(parsed)


Identifier = Annotated[str, AfterValidator(_identifier), WithJsonSchema({"type": "string", "pattern": _IDENTIFIER})]
Type = Annotated[
    FieldType,
    _parsed(parse_field_type, "a type"),
    WithJsonSchema(
        {"type": "string", "examples": ["str", "int", "float", "bool", "list[str]", "dict[str, int]", "object"]}
    ),
]
Logic = Annotated[
    Condition,
    _parsed(parse_condition, "a condition"),
    WithJsonSchema({"type": "string", "examples": ["default", "state.score > 0.8 and not state.done"]}),
]
Prompt = Annotated[Template, _parsed(parse_template, "a prompt"), WithJsonSchema({"type": "string"})]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Flow(_Model):
    """What the workflow is called."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    version: str = "1.0.0"


class StateField(_Model):
    """A field of the workflow's state."""

    type: Type
    """str, int, float, bool, list, dict, list[T], dict[K, V] or object."""
    required: bool = False
    """Whether the input must have it."""
    default: Any = None
    description: str = ""
    fields: dict[Identifier, "StateField"] | None = Field(default=None, alias="schema")
    """Of an object: its fields, each a type or a full field."""

    @field_validator("fields", mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field that is only a type may be written as `name: type`."""
        if isinstance(value, dict):
            return {name: {"type": field} if isinstance(field, str) else field for name, field in value.items()}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.required and "default" in self.model_fields_set:
            raise PlacedError(
                "a field is either `required` or has a `default`", "default", hint="leave one of them out"
            )
        if self.fields is not None and self.type.name != "object":
            raise PlacedError(f"`schema` goes with type object, not {self.type}", "schema")
        return self


class State(_Model):
    """The workflow's state."""

    fields: Annotated[dict[Identifier, StateField], Field(min_length=1)]


class ScriptedConfig(_Model):
    """How the scripted model answers."""

    seed: int = 0
    """Another seed gives other answers."""
    latency_ms: float = Field(default=0.0, ge=0)
    """Median time per call, in milliseconds."""
    latency_sigma: float = Field(default=0.0, ge=0, le=5)
    """Spread of the time per call: the standard deviation of its logarithm (log-normal). 0: always the same."""
    answer_characters: int = Field(default=400, ge=1, le=1_000_000)
    """Length of an answer's text."""


class LLMConfig(_Model):
    """Which model answers, and how. A node's own settings go before the workflow's."""

    provider: Literal["scripted", "openai", "anthropic", "google", "ollama"] | None = None
    model: str | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    api_base: str | None = None
    """URL of the provider's API, where it is not the usual one."""
    scripted: ScriptedConfig | None = None
    """Settings of the scripted model."""

    @model_validator(mode="after")
    def _scripted_only(self) -> Self:
        if self.scripted is not None and self.provider not in (None, "scripted"):
            raise PlacedError(f"`scripted` goes with the provider scripted, not {self.provider}", "scripted")
        return self


class OutputField(_Model):
    """One field of a node's structured output."""

    name: Identifier
    type: Type
    description: str = ""


class OutputSchema(_Model):
    """What a node's answer looks like: one value of a type, or an object of fields."""

    type: Type
    description: str = ""
    fields: tuple[OutputField, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.fields and self.type.name != "object":
            raise PlacedError(f"`fields` go with type object, not {self.type}", "fields")
        if self.type.name == "object" and not self.fields:
            raise PlacedError("an object needs `fields`", "type", hint="write fields: [{name: …, type: …}]")
        return self


class ToolUse(_Model):
    """A tool that a node may call."""

    name: str
    on_error: Literal["fail", "continue"] = "fail"
    config: dict[str, Any] = {}


class Node(_Model):
    """One step: a prompt to the model, whose answer goes into state fields."""

    id: Identifier
    description: str = ""
    prompt: Prompt
    """What the model is asked; `{x}`, `{state.x}` and `{state.a.b}` stand for parts of the state."""
    inputs: dict[Identifier, Prompt] = {}
    """More names for placeholders: `{name}` stands for the text given here, which may have placeholders itself."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """State fields that the answer is written to."""
    output_schema: OutputSchema | None = None
    """What the answer looks like. Default: as the fields in `outputs`."""
    tools: tuple[ToolUse, ...] = ()
    llm: LLMConfig = LLMConfig()
    log_prompts: bool | None = None
    log_artifacts: bool | None = None

    @field_validator("tools", mode="before")
    @classmethod
    def _short_tools(cls, value: Any) -> Any:
        """A tool that is only a name may be written as such."""
        return (
            [{"name": tool} if isinstance(tool, str) else tool for tool in value] if isinstance(value, list) else value
        )


class RouteCondition(_Model):
    """When a route is taken."""

    logic: Logic
    """Such as `state.score > 0.8 and not state.done`; `default` for the route that is taken if no other is."""


class Route(_Model):
    """One way out of a node, taken if its condition holds and none before it does."""

    condition: RouteCondition
    to: str


class Loop(_Model):
    """Run the edge's `from` node until the condition field is true, `max_iterations` times at most."""

    max_iterations: int = Field(default=10, ge=1, le=100)
    condition_field: str
    """A bool state field: the loop ends when it is true."""
    exit_to: str


class Parallel(_Model):
    """Run the target node once per item of a list, at the same time, and collect what they give."""

    items_field: str
    """A list state field. The node sees its item as `{item}` and its number as `{index}`."""
    target_node: str
    collect_field: str
    """A list state field that takes what the node's first output is for each item, in the order of the items."""


_TO_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 2}]}


class Edge(_Model):
    """What comes after a node."""

    from_: str = Field(alias="from")
    to: Annotated[tuple[str, ...] | None, WithJsonSchema(_TO_SCHEMA)] = None
    """A node, END, or a list of two or more nodes that run at the same time."""
    routes: Annotated[tuple[Route, ...], Field(min_length=1)] | None = None
    loop: Loop | None = None
    parallel: Parallel | None = None

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and len(value) < 2:
            raise ValueError("a fork leads to two or more nodes; for one node write its name alone")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("to", "routes", "loop", "parallel") if getattr(self, name) is not None]
        if len(ways) != 1:
            given = f"both `{ways[0]}` and `{ways[1]}`" if ways else "none of them"
            raise PlacedError(
                f"an edge has exactly one of `to`, `routes`, `loop` and `parallel`; this one has {given}", *ways[1:2]
            )
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """The nodes (or END) that it can lead to."""
        if self.to is not None:
            return self.to
        if self.routes:
            return tuple(route.to for route in self.routes)
        if self.loop:
            return (self.from_, self.loop.exit_to)
        return (self.parallel.target_node,) if self.parallel else ()


class Execution(_Model):
    """How the workflow runs."""

    timeout: float | None = Field(default=None, gt=0)
    """Seconds that one step may take: a node, or nodes that run at the same time."""
    max_retries: int = Field(default=0, ge=0, le=20)
    """How often a node is tried again after an error."""


class WorkflowSettings(_Model):
    """`config`."""

    llm: LLMConfig = LLMConfig()
    execution: Execution = Execution()
    observability: ObservabilityConfig | None = None


class WorkflowFile(_Model):
    """A workflow file."""

    schema_version: Literal["1.0"]
    flow: Flow
    state: State
    nodes: Annotated[tuple[Node, ...], Field(min_length=1)]
    edges: Annotated[tuple[Edge, ...], Field(min_length=1)]
    config: WorkflowSettings = WorkflowSettings()
    observability_: ObservabilityConfig | None = Field(default=None, alias="observability")

    @model_validator(mode="after")
    def _one_observability(self) -> Self:
        one_observability(self.observability_, self.config.observability)
        return self

    @property
    def observability(self) -> ObservabilityConfig:
        """From wherever the file has it."""
        return one_observability(self.observability_, self.config.observability)
