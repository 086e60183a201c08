"""Judges whose model only MLflow knows how to reach, such as `anthropic:/…` or `bedrock:/…`."""

import asyncio
import json
import time
from collections.abc import Sequence

from mlflow.entities import Trace
from mlflow.exceptions import MlflowException

from tracegauge.config.judge import LlmJudge
from tracegauge.config.judge_instructions import variables_in
from tracegauge.judging.answer import AnswerError, MalformedError, fitting
from tracegauge.judging.chat import kind_of_status
from tracegauge.judging.compat import ask_model
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.judging.llm import estimated
from tracegauge.judging.prompt import Message, messages_for, repair_messages, request_text
from tracegauge.judging.seeing import not_judgeable, see
from tracegauge.judging.threads import in_thread
from tracegauge.results.judgement import NOTHING_USED, Failed, FailureKind, Judgement, Scored, Usage


class MlflowModelJudge(Judge):
    """A model that is asked through MLflow's own adapters, in a thread; what it uses is estimated, not told."""

    spec: LlmJudge

    def __init__(self, spec: LlmJudge) -> None:
        super().__init__(spec)
        self._model = spec.model or ""
        self._variables = variables_in(spec.instructions)

    @property
    def endpoint(self) -> str:
        """The provider."""
        return self._model.partition(":/")[0]

    def content(self, traces: Sequence[Trace]) -> Content:
        """The texts of the variables that the instructions name."""
        return see(traces, self._variables, self.spec.extract)

    def estimate(self, content: Content) -> Usage:
        """Four characters a token."""
        if not_judgeable(content, self._variables, self.spec.extract.max_chars):
            return NOTHING_USED
        return estimated(self._model, request_text(messages_for(self.spec, content)), self.spec)

    async def judge(self, content: Content) -> Judgement:
        """Ask, and ask once more where the answer does not fit."""
        missing = not_judgeable(content, self._variables, self.spec.extract.max_chars)
        if missing:
            return missing
        began_ns, usage = time.perf_counter_ns(), self.estimate(content)
        messages = messages_for(self.spec, content)
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                for calls in (1, 2):
                    answer = await in_thread(lambda asked=messages: self._ask(asked))  # type: ignore[misc]
                    latency_ns = time.perf_counter_ns() - began_ns
                    if isinstance(answer, AnswerError):
                        messages = repair_messages(messages, "", str(answer))
                        continue
                    used = {"calls": calls, "latency_ns": latency_ns, "usage": usage}
                    return answer.model_copy(update=used)
        except TimeoutError:
            return Failed(kind="timed_out", message=f"no answer within {self.spec.timeout_s:g} s", calls=1)
        assert isinstance(answer, AnswerError)
        kind: FailureKind = "malformed" if isinstance(answer, MalformedError) else "out_of_type"
        return Failed(kind=kind, message=f"{answer} (asked twice)", calls=2, usage=usage + usage)

    def _ask(self, messages: list[Message]) -> Judgement | AnswerError:
        try:
            feedback = ask_model(self._model, messages, self.spec.inference_params)
            value = fitting(feedback.value, self.spec.value)
        except AnswerError as fault:
            return fault
        except (KeyError, json.JSONDecodeError) as fault:
            return MalformedError(f"the answer has no usable `result` ({fault})")
        except Exception as error:  # what a provider's library raises
            if isinstance(error, MlflowException) and "parse" in str(error).lower():
                return MalformedError(str(error)[:200])
            return failure_of(error)
        return Scored(value=value, rationale=feedback.rationale or "", model=self._model)


def failure_of(error: Exception) -> Failed:
    """The failure that an error of MLflow's adapters stands for: by the HTTP status of what it was raised from, else by
    what its message tells."""
    message = f"{type(error).__name__}: {error}"[:400]
    status = _status_of(error)
    if status is not None:
        return Failed(kind=kind_of_status(status), message=f"HTTP {status}: {message}")
    told = message.lower()
    kinds: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
        ("rate_limited", ("429", "rate limit")),
        ("refused", ("401", "403", "404", "api_key", "api key", "install", "no module", "no suitable adapter")),
        ("server_error", ("500", "502", "503", "504")),
        ("timed_out", ("timed out", "timeout")),
        ("unreachable", ("connection", "resolve")),
    )
    kind = next((kind for kind, words in kinds if any(word in told for word in words)), "raised")
    return Failed(kind=kind, message=message)


def _status_of(error: BaseException | None) -> int | None:
    """Adapters wrap what a provider's library raised, which knows the status."""
    while error is not None:
        status = getattr(error, "status_code", None)
        if isinstance(status, int):
            return status
        error = error.__cause__
    return None
