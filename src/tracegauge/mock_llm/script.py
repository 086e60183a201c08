"""What the mock answers and how it fails: a script file."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

FaultKind = Literal[
    "rate_limited", "server_error", "hang", "malformed_json", "malformed_body", "wrong_type", "slow_stream", "reset"
]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCall(_Model):
    """A call of a tool that the mock makes."""

    name: str
    arguments: dict[str, JsonValue] = Field(default={})


class Rule(_Model):
    """What is answered to requests that match; the first rule that does is taken."""

    match: Pattern = ""
    """A regular expression, searched for in all messages of the request. Default: every request."""
    model: Pattern = ""
    """A regular expression, searched for in the name of the requested model."""
    answer: JsonValue = None
    """A text, or an object that is sent as JSON."""
    answers: tuple[JsonValue, ...] = ()
    """Several answers, given in turn; the last one again and again."""
    tool_calls: tuple[ToolCall, ...] = ()


class Fault(_Model):
    """Something that goes wrong with a share of the requests."""

    kind: FaultKind
    """`rate_limited`: 429 with Retry-After. `server_error`: 500. `hang`: no answer, ever. `malformed_json`: a cut-off
    JSON answer. `malformed_body`: the HTTP body is no JSON. `wrong_type`: JSON that does not fit the asked schema.
    `slow_stream`: the body comes in drops. `reset`: the connection is reset."""
    rate: float = Field(default=1.0, ge=0, le=1)
    """Share of the requests. The rates of all faults that fit a request add up, to 1 at most."""
    match: Pattern = ""
    """Only requests whose messages hold this regular expression."""
    model: Pattern = ""
    """Only requests for models whose name holds this regular expression."""
    first: int | None = Field(default=None, ge=1)
    """Only the first so many times that a request comes: its later repetitions succeed."""
    retry_after_s: float = Field(default=1.0, ge=0)
    """What `rate_limited` asks for."""
    duration_s: float = Field(default=10.0, ge=0)
    """How long `slow_stream` takes."""


class MockScript(_Model):
    """A script file of the mock LLM."""

    seed: int = 0
    """Another seed gives other answers and other failing requests; the same seed gives the same ones."""
    latency_ms: float = Field(default=0.0, ge=0)
    """Time from a request to the begin of its answer, in milliseconds."""
    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    positive_rate: float = Field(default=0.8, ge=0, le=1)
    """Share of true, yes and the upper half of ranges where the mock makes up verdicts."""
    structured_output: bool = True
    """False: requests with a JSON schema are refused with 400, as endpoints do that know none."""
    api_key: str | None = None
    """Requests without this key get 401. Default: any key will do, or none."""

    def model_post_init(self, _context: Any) -> None:
        """Rates that add up to more than 1 over all requests can't be kept."""
        total = sum(fault.rate for fault in self.faults if not (fault.match or fault.model or fault.first))
        if total > 1 + 1e-9:
            raise ValueError(f"the rates of the faults add up to {total:g}, which is more than 1")
