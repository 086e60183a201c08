"""What a judge says of one trace or conversation: a score, or a failure that says why there is none."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Value = bool | int | float | str
"""A verdict: of the type that the judge's file declares."""

FailureKind = Literal[
    "unreachable",
    "rate_limited",
    "server_error",
    "timed_out",
    "refused",
    "malformed",
    "out_of_type",
    "raised",
    "no_content",
    "no_expectations",
    "too_large",
    "members_failed",
    "tied",
]
"""`unreachable`: no connection, or it broke. `rate_limited`: HTTP 429. `server_error`: HTTP 5xx. `timed_out`: no answer
within the judge's `timeout_s`. `refused`: HTTP 4xx, such as a wrong key or an unknown model. `malformed`: the answer is
no JSON of the asked form, after one repair attempt. `out_of_type`: it is, but the value does not fit the declared type.
`raised`: the code of a judge raised. `no_content`: the trace lacks what the judge is to see. `no_expectations`: nobody
has written down yet what is expected. `too_large`: there is more of it than the judge takes. `members_failed`: too few
members of a panel scored. `tied`: the members' vote is a tie."""

MOCK = "mock"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Usage(_Record):
    """What a judgement used, or will use by estimate, over all calls that it took."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None where the price of the model is not known; 0 for judges that ask no model."""

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        cost = None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=cost,
        )


NOTHING_USED = Usage(cost_usd=0.0)


class Scored(_Record):
    """A judgement that holds a verdict of the declared type."""

    outcome: Literal["scored"] = "scored"
    value: Value
    rationale: str
    usage: Usage = NOTHING_USED
    latency_ns: int = 0
    """From the first call to the verdict."""
    calls: int = 0
    """Requests to a model, a repair attempt included; 0 for code."""
    members: tuple["Member", ...] = ()
    """Of a panel: what each member said, failures included."""
    model: str | None = None
    """The model that answered, as it calls itself; None for code."""

    @property
    def mock(self) -> bool:
        """Whether a mock answered: this is then a rehearsal of the pipeline, not a statement about quality."""
        return is_mock(self.model) or any(
            isinstance(one.judgement, Scored) and one.judgement.mock for one in self.members
        )


class Failed(_Record):
    """A judgement without a verdict. It is recorded, shown and tried again, and never counts as a score."""

    outcome: Literal["failed"] = "failed"
    kind: FailureKind
    message: str
    """One sentence for people."""
    retry_after_s: float | None = None
    """Seconds that the endpoint asked to wait."""
    usage: Usage | None = None
    """What was used all the same; None if that is not known."""
    calls: int = 0
    latency_ns: int = 0
    members: tuple["Member", ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether trying again at once can't help: the same content would fail in the same way."""
        return self.kind in ("no_content", "no_expectations", "too_large", "raised", "refused", "tied")

    @property
    def final(self) -> bool:
        """Whether trying again can never help: a finished trace stays without outputs, or too large."""
        return self.kind in ("no_content", "too_large")


Judgement = Scored | Failed


class Member(_Record):
    """What one member of a panel said."""

    name: str
    digest: str
    judgement: Judgement


def is_mock(model: str | None) -> bool:
    """Whether the name of an answering model says that it is a mock."""
    return model is not None and MOCK in model.lower().replace("/", "-").split("-")


Scored.model_rebuild()
Failed.model_rebuild()
