"""What every judge can do: take what it sees out of traces, estimate what judging it costs, and judge it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from mlflow.entities import Trace

from tracegauge.config.judge import JudgeSpec, Scope
from tracegauge.judging.content import Content
from tracegauge.results.judgement import Judgement, Usage


class Judge(ABC):
    """A judge that is ready to work, made by `build_judge`. Used from one event loop."""

    source_type: ClassVar[str] = "LLM_JUDGE"
    """MLflow's source type of its assessments: LLM_JUDGE or CODE."""

    def __init__(self, spec: JudgeSpec) -> None:
        self.spec = spec

    @property
    def name(self) -> str:
        """Name of the judge and of its assessments."""
        return self.spec.name

    @property
    def digest(self) -> str:
        """Another digest is another judge."""
        return self.spec.digest

    @property
    def scope(self) -> Scope:
        """Whether it judges one trace, or all traces of a session together."""
        return self.spec.scope

    @property
    def endpoint(self) -> str | None:
        """Where its requests go, as the key for limits that judges share; None for code."""
        return None

    @abstractmethod
    def content(self, traces: Sequence[Trace]) -> Content:
        """What the judge sees of one trace, or of all traces of a session in their order in time."""

    @abstractmethod
    async def judge(self, content: Content) -> Judgement:
        """One attempt, with one repair of an answer that does not fit: no other retry, no waiting, no budget.

        Whatever goes wrong is a `Failed`; nothing is raised but CancelledError.
        """

    @abstractmethod
    def estimate(self, content: Content) -> Usage:
        """What an attempt will use, without making it. Tokens are estimated at four characters each."""

    async def aclose(self) -> None:  # noqa: B027 (most judges hold nothing)
        """Let go of processes that the judge has started."""
