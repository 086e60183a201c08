"""Workflow files: a LangGraph graph as YAML."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from tracegauge.config.condition import Condition, parse_condition
from tracegauge.config.field_type import FieldType, parse_field_type
from tracegauge.config.observability import ObservabilityConfig

START = "START"
END = "END"

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
FieldTypeText = Annotated[FieldType, BeforeValidator(lambda text: parse_field_type(text) if isinstance(text, str) else text)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Flow(_Model):
    """What the workflow is called."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    version: str = "1.0.0"


class StateField(_Model):
    """A field of the workflow's state."""

    type: FieldTypeText
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
            raise ValueError("a field is either `required` or has a `default`")
        if self.fields is not None and self.type.name != "object":
            raise ValueError(f"`schema` goes with type object, not {self.type}")
        return self


class State(_Model):
    """The workflow's state."""

    fields: Annotated[dict[Identifier, StateField], Field(min_length=1)]


class LLMConfig(_Model):
    """Which model answers, and how. A node's own settings go before the workflow's."""

    provider: Literal["scripted", "openai", "anthropic", "google", "ollama"] | None = None
    model: str | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    api_base: str | None = None
    """URL of the provider's API, where it is not the usual one."""


class OutputField(_Model):
    """One field of a node's structured output."""

    name: Identifier
    type: FieldTypeText
    description: str = ""


class OutputSchema(_Model):
    """What a node's answer looks like: one value of a type, or an object of fields."""

    type: FieldTypeText
    description: str = ""
    fields: tuple[OutputField, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type.name == "object") != bool(self.fields):
            raise ValueError("`fields` go with type object, and an object has at least one")
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
    prompt: str
    inputs: dict[Identifier, str] = {}
    """Names for placeholders: `{name}` stands for the value of the template given here."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """State fields that the answer is written to."""
    output_schema: OutputSchema | None = None
    """Default: one text."""
    tools: tuple[ToolUse, ...] = ()
    llm: LLMConfig = LLMConfig()
    log_prompts: bool | None = None
    log_artifacts: bool | None = None

    @field_validator("tools", mode="before")
    @classmethod
    def _short_tools(cls, value: Any) -> Any:
        """A tool that is only a name may be written as such."""
        return [{"name": tool} if isinstance(tool, str) else tool for tool in value] if isinstance(value, list) else value


class RouteCondition(_Model):
    """`logic`: such as `state.score > 0.8 and not state.done`, or `default`."""

    logic: Annotated[
        Condition | Literal["default"],
        BeforeValidator(lambda text: parse_condition(text) if isinstance(text, str) and text != "default" else text),
    ]


class Route(_Model):
    """One way out of a node, taken if its condition holds and none before it does."""

    condition: RouteCondition
    to: str


class Loop(_Model):
    """Run the edge's `from` node again until the condition field is true, `max_iterations` times at most."""

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


class Edge(_Model):
    """What comes after a node."""

    from_: str = Field(alias="from")
    to: str | Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """A node, END, or two or more nodes that run at the same time."""
    routes: Annotated[tuple[Route, ...], Field(min_length=1)] | None = None
    loop: Loop | None = None
    parallel: Parallel | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("to", "routes", "loop", "parallel") if getattr(self, name) is not None]
        if len(ways) != 1:
            given = " and ".join(f"`{name}`" for name in ways) or "none"
            raise ValueError(f"an edge has exactly one of `to`, `routes`, `loop` and `parallel`; given: {given}")
        return self


class Execution(_Model):
    """How the workflow runs."""

    timeout: float | None = Field(default=None, gt=0)
    """Seconds that one invocation may take."""
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
        if self.observability_ is not None and self.config.observability is not None:
            raise ValueError("`observability` stands at the top level or under `config`, not in both")
        return self

    @property
    def observability(self) -> ObservabilityConfig:
        """From wherever the file has it."""
        return self.observability_ or self.config.observability or ObservabilityConfig()
