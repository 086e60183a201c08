"""Judges that ask a model behind an OpenAI-compatible endpoint."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from mlflow.entities import Trace

from tracegauge.config.judge import LlmJudge
from tracegauge.config.judge_instructions import variables_in
from tracegauge.judging.answer import AnswerError, MalformedError, read_answer
from tracegauge.judging.chat import Reply, ask, cost_usd
from tracegauge.judging.content import Content
from tracegauge.judging.endpoint import Endpoint
from tracegauge.judging.judge import Judge
from tracegauge.judging.prompt import Message, messages_for, repair_messages, request_text, response_format
from tracegauge.judging.seeing import not_judgeable, see
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Scored, Usage

CHARS_PER_TOKEN = 4
USUAL_ANSWER_TOKENS = 200
_SCHEMA_WORDS = ("response_format", "schema", "structured output")


class EndpointJudge(Judge):
    """A model that is given instructions and answers with a JSON object."""

    spec: LlmJudge

    def __init__(self, spec: LlmJudge, endpoint: Endpoint, http: httpx.AsyncClient) -> None:
        super().__init__(spec)
        self._endpoint = endpoint
        self._http = http
        self._variables = variables_in(spec.instructions)
        self._schema_refused = False

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return self._endpoint.base_url

    def content(self, traces: Sequence[Trace]) -> Content:
        """The texts of the variables that the instructions name."""
        return see(traces, self._variables, self.spec.extract)

    def estimate(self, content: Content) -> Usage:
        """Four characters a token; for the answer `max_tokens`, if set, else a usual one."""
        if not_judgeable(content, self._variables, self.spec.extract.max_chars):
            return NOTHING_USED
        return estimated(self._endpoint.model, request_text(messages_for(self.spec, content)), self.spec)

    async def judge(self, content: Content) -> Judgement:
        """Ask, and ask once more where the answer does not fit."""
        missing = not_judgeable(content, self._variables, self.spec.extract.max_chars)
        if missing:
            return missing
        attempt = _Attempt()
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                return await self._attempt(messages_for(self.spec, content), attempt)
        except TimeoutError:
            message = f"no answer within {self.spec.timeout_s:g} s"
            return attempt.failed(Failed(kind="timed_out", message=message))

    async def _attempt(self, messages: list[Message], attempt: "_Attempt") -> Judgement:
        reply = await self._ask(messages, attempt)
        if isinstance(reply, Failed):
            return attempt.failed(reply)
        try:
            return self._scored(reply, attempt)
        except AnswerError as fault:
            reply = await self._ask(repair_messages(messages, reply.text, str(fault)), attempt)
        if isinstance(reply, Failed):
            return attempt.failed(reply)
        try:
            return self._scored(reply, attempt)
        except AnswerError as fault:
            kind = "malformed" if isinstance(fault, MalformedError) else "out_of_type"
            return attempt.failed(Failed(kind=kind, message=f"{fault} (asked twice)"))

    async def _ask(self, messages: list[Message], attempt: "_Attempt") -> Reply | Failed:
        with_schema = not self._schema_refused
        reply = await self._send(messages, attempt, with_schema=with_schema)
        if with_schema and isinstance(reply, Failed) and _refuses_schema(reply):
            self._schema_refused = True  # the prompt says in words what the answer looks like
            reply = await self._send(messages, attempt, with_schema=False)
        return reply

    async def _send(self, messages: list[Message], attempt: "_Attempt", *, with_schema: bool) -> Reply | Failed:
        body: dict[str, Any] = {"messages": messages, **self.spec.inference_params}
        if with_schema:
            body["response_format"] = response_format(self.spec)
        attempt.calls += 1
        reply = await ask(self._http, self._endpoint, body)
        if isinstance(reply, Reply):
            attempt.usage = attempt.usage + reply.usage
        return reply

    def _scored(self, reply: Reply, attempt: "_Attempt") -> Scored:
        verdict = read_answer(reply.text, self.spec.value)
        return Scored(
            value=verdict.value,
            rationale=verdict.rationale,
            usage=attempt.usage,
            latency_ns=attempt.latency_ns,
            calls=attempt.calls,
            model=reply.model,
        )


@dataclass
class _Attempt:
    """What an attempt has used so far."""

    began_ns: int = field(default_factory=time.perf_counter_ns)
    calls: int = 0
    usage: Usage = NOTHING_USED

    @property
    def latency_ns(self) -> int:
        return time.perf_counter_ns() - self.began_ns

    def failed(self, failure: Failed) -> Failed:
        """The failure, with what was used before it."""
        used = {"calls": self.calls, "usage": self.usage, "latency_ns": self.latency_ns}
        return failure.model_copy(update=used)


def estimated(model: str, text: str, spec: Any) -> Usage:
    """What a request with this text will use."""
    given = -(-len(text) // CHARS_PER_TOKEN)
    most = spec.inference_params.get("max_tokens") or spec.inference_params.get("max_completion_tokens")
    made = int(most) if isinstance(most, (int, float)) else USUAL_ANSWER_TOKENS
    return Usage(input_tokens=given, output_tokens=made, cost_usd=cost_usd(model, given, made))


def _refuses_schema(reply: Failed) -> bool:
    return reply.kind == "refused" and any(word in reply.message.lower() for word in _SCHEMA_WORDS)
