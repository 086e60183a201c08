"""Judge files: what scores traces, and how."""

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, RootModel, model_validator

from tracegauge.config.judge_fields import (
    Budget,
    Calibration,
    Extract,
    Model,
    Passes,
    Retry,
    Sampling,
    ValueType,
    VariableName,
    default_passes,
    passes_faults,
    passes_of,
)
from tracegauge.config.judge_instructions import check_instructions, variables_in
from tracegauge.config.judge_source import source_of
from tracegauge.config.validation import PlacedError

__all__ = [
    "BuiltinJudge",
    "CodeJudge",
    "GuidelinesJudge",
    "JudgeFile",
    "JudgeSpec",
    "LlmJudge",
    "PanelJudge",
]

Scope = Literal["trace", "session"]
Value = bool | int | float | str

YES_NO = ValueType(type="categories", categories=("yes", "no"))
"""What most of MLflow's built-in judges say."""


ASKS = ("model", "base_url", "inference_params", "extract")
"""The fields that change what a judge says that asks a model."""


class _Judge(Model):
    """What all kinds of judges have."""

    SAYS: ClassVar[tuple[str, ...]] = ()
    """The fields of a kind that change what the judge says."""

    schema_version: Literal["1.0"]
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    """Name of the judge and of its assessments; unique among the judges that are used together."""
    description: str = ""
    sampling: Sampling = Sampling()
    budget: Budget = Budget()
    retry: Retry = Retry()
    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds that one attempt may take."""
    calibration: Calibration = Calibration()

    @cached_property
    def digest(self) -> str:
        """16 hex digits that change whenever what the judge says may change.

        SHA-256 of kind, name, instructions, parameters, value type, model, base URL, inference parameters, extraction,
        the source of code, and the digests of members; not of sampling, budget, retry, calibration and description.
        Raises ConfigError for a code judge whose source can't be found.
        """
        said = {"kind", "name", *self.SAYS}
        content = {**self.model_dump(mode="json", include=said), **self._more_digested()}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _more_digested(self) -> dict[str, Any]:
        return {}


class _Asking(_Judge):
    """What judges have that ask a model."""

    model: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]*:/[^/].*$", examples=["openai:/gpt-4.1-mini"])
    """An MLflow model URI. Default: the variable `TRACEGAUGE_JUDGE_MODEL`."""
    base_url: str | None = Field(default=None, pattern=r"^https?://", examples=["http://127.0.0.1:8000/v1"])
    """An OpenAI-compatible endpoint, up to `/v1`. Default for `openai:/`: the variable `OPENAI_BASE_URL`."""
    api_key_env: VariableName | None = None
    """Name of the variable that holds the key. Default for `openai:/` without `base_url` in the file:
    `OPENAI_API_KEY`."""
    inference_params: dict[str, Any] = Field(default={})
    """Sent with each request, such as `temperature: 0`."""
    extract: Extract = Extract()


class _Valued(Model):
    """What judges have that can say any type of value."""

    value: ValueType = ValueType(type="bool")
    """What the judge's verdict is."""
    passes: Passes | None = None
    """Which verdicts are good: `true`, `false`, a list of categories, or a comparison such as `">= 4"`.
    Default: `true` for a bool, `[yes]` for yes and no, else nothing."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fault = passes_faults(self.passes, self.value)
        if fault:
            raise PlacedError(fault, "passes", of_key=False)
        return self

    def good(self, value: Value) -> bool | None:
        """Whether a verdict is good; None where the file doesn't say."""
        return passes_of(value, self.passes if self.passes is not None else default_passes(self.value))


class LlmJudge(_Asking, _Valued):
    """A model that is given instructions and says a value with a rationale."""

    SAYS: ClassVar[tuple[str, ...]] = ("instructions", "value", "rationale_first", *ASKS)

    kind: Literal["llm"]
    instructions: Annotated[str, AfterValidator(check_instructions)]
    """What to judge and by which standard, with `{{ inputs }}`, `{{ outputs }}`, `{{ expectations }}`, `{{ trace }}`,
    or `{{ conversation }}` for all traces of a session."""
    rationale_first: bool = True
    """Whether the model gives its reasons before its verdict, so that the verdict follows from them."""

    @property
    def scope(self) -> Scope:
        """Whether it judges one trace, or all traces of a session together."""
        return "session" if "conversation" in variables_in(self.instructions) else "trace"


class BuiltinJudge(_Asking, _Valued):
    """One of MLflow's built-in judges, such as `RelevanceToQuery`."""

    SAYS: ClassVar[tuple[str, ...]] = ("scorer", "parameters", "value", *ASKS)
    SESSION_SCORERS: ClassVar[frozenset[str]] = frozenset(
        {
            "ConversationCompleteness",
            "ConversationalGuidelines",
            "ConversationalRoleAdherence",
            "ConversationalSafety",
            "ConversationalToolCallEfficiency",
            "KnowledgeRetention",
            "UserFrustration",
        }
    )
    """The built-in judges of whole conversations."""

    kind: Literal["builtin"]
    scorer: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$")
    """Name of a class in `mlflow.genai.scorers`."""
    parameters: dict[str, Any] = Field(default={})
    """Arguments of that class, besides `name` and `model`."""
    value: ValueType = YES_NO
    """What it says; most say yes or no."""

    @property
    def scope(self) -> Scope:
        """Whether it judges one trace, or all traces of a session together."""
        return "session" if self.scorer in self.SESSION_SCORERS else "trace"


class GuidelinesJudge(_Asking):
    """A model that says whether an answer keeps all guidelines: `yes` or `no` (MLflow's `Guidelines`)."""

    SAYS: ClassVar[tuple[str, ...]] = ("guidelines", *ASKS)

    kind: Literal["guidelines"]
    guidelines: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """Rules in plain words, each of which an answer has to keep."""

    @property
    def value(self) -> ValueType:
        """Yes or no."""
        return YES_NO

    @property
    def scope(self) -> Scope:
        """One trace."""
        return "trace"

    def good(self, value: Value) -> bool | None:
        """Whether a verdict is good."""
        return value == "yes"


class CodeJudge(_Judge, _Valued):
    """A Python function over a trace: deterministic checks, without a model."""

    SAYS: ClassVar[tuple[str, ...]] = ("function", "parameters", "value")

    kind: Literal["code"]
    function: str = Field(pattern=r"^[^:]+:[A-Za-z_][\w.]*$", examples=["my_package.checks:answer_present"])
    """`module:function` or `path/to/file.py:function`. It is called with an `mlflow.entities.Trace` and the parameters,
    and returns a value, or a pair of value and rationale."""
    parameters: dict[str, Any] = Field(default={})
    """Arguments of the function, by name."""

    @property
    def scope(self) -> Scope:
        """One trace."""
        return "trace"

    def _more_digested(self) -> dict[str, Any]:
        return {"source": hashlib.sha256(source_of(self.function)).hexdigest()}


class PanelJudge(_Judge):
    """Several judges that say one thing together."""

    SAYS: ClassVar[tuple[str, ...]] = ("combine", "quorum", "on_tie")

    kind: Literal["panel"]
    members: Annotated[tuple[str, ...], Field(min_length=2)]
    """Names of judges in the files that are loaded with this one; no panels."""
    combine: Literal["vote", "median"] = "vote"
    """`vote`: the value that most members say; `median`: the middle one, for numbers."""
    quorum: int | None = Field(default=None, ge=1)
    """How many members must have scored. Default: more than half of them."""
    on_tie: bool | int | str = "fail"
    """What a tied vote says: a value, or `fail`, which makes it a failed judgement."""

    _resolved: tuple["MemberSpec", ...] = PrivateAttr(default=())

    def resolve(self, members: tuple["MemberSpec", ...]) -> None:
        """Set the members; whoever loads the files does so, once."""
        self._resolved = members

    @property
    def resolved(self) -> tuple["MemberSpec", ...]:
        """The members, in the order of the file."""
        return self._resolved

    @property
    def value(self) -> ValueType:
        """What the members say; a median of integers may lie between two of them."""
        value = self._resolved[0].value
        if self.combine == "median":
            return ValueType(type="float", minimum=value.minimum, maximum=value.maximum)
        return value

    @property
    def scope(self) -> Scope:
        """What the members judge."""
        return self._resolved[0].scope

    @property
    def needed(self) -> int:
        """How many members must have scored."""
        return self.quorum or len(self.members) // 2 + 1

    def good(self, value: Value) -> bool | None:
        """Whether a verdict is good, as the first member takes it."""
        return self._resolved[0].good(value)

    def _more_digested(self) -> dict[str, Any]:
        return {"members": [member.digest for member in self._resolved]}


MemberSpec = LlmJudge | BuiltinJudge | GuidelinesJudge | CodeJudge
JudgeSpec = MemberSpec | PanelJudge
AskingJudge = LlmJudge | BuiltinJudge | GuidelinesJudge

KINDS: dict[str, type[JudgeSpec]] = {
    "llm": LlmJudge,
    "builtin": BuiltinJudge,
    "guidelines": GuidelinesJudge,
    "code": CodeJudge,
    "panel": PanelJudge,
}


class JudgeFile(RootModel[Annotated[JudgeSpec, Field(discriminator="kind")]]):
    """A judge file: one judge."""


def load_judges(
    paths: Iterable[str | Path], model: str | None = None, base_url: str | None = None
) -> dict[str, JudgeSpec]:
    """The judges of files and folders (their `*.yaml`), by name, with panels' members resolved.

    A judge without `model` gets `model`, else what `TRACEGAUGE_JUDGE_MODEL` names; an `openai:/` judge without
    `base_url` gets `base_url`, else `OPENAI_BASE_URL`. Raises ConfigError that lists the faults of all files.
    """
    from tracegauge.config.judge_files import read_judge_files

    return {one.spec.name: one.spec for one in read_judge_files(paths, model, base_url)}
