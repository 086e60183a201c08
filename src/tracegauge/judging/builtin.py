"""MLflow's built-in judges and guidelines: its prompts and rules, our requests.

A scorer runs in a thread, since it can only wait; what it asks of a model behind an OpenAI-compatible endpoint is sent
from the event loop, without MLflow's retries.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import httpx
from mlflow.entities import Trace

from tracegauge.config.judge import BuiltinJudge, GuidelinesJudge
from tracegauge.judging.answer import AnswerError, OutOfTypeError, fitting, json_object, value_in_words
from tracegauge.judging.chat import Reply, ask
from tracegauge.judging.compat import answered_by
from tracegauge.judging.content import Content
from tracegauge.judging.endpoint import Endpoint
from tracegauge.judging.judge import Judge
from tracegauge.judging.llm import CHARS_PER_TOKEN, estimated
from tracegauge.judging.mlflow_model import failure_of
from tracegauge.judging.prompt import repair_messages
from tracegauge.judging.scorers import NEEDS_EXPECTATIONS, arguments_of, call, error_of, make_scorer, one_value
from tracegauge.judging.seeing import not_judgeable, see
from tracegauge.judging.threads import in_thread
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Scored, Usage

_PROMPT_CHARS = 500 * CHARS_PER_TOKEN
"""About what MLflow's prompts add to the content."""


class ScorerJudge(Judge):
    """One of MLflow's scorers."""

    spec: BuiltinJudge | GuidelinesJudge

    def __init__(
        self, spec: BuiltinJudge | GuidelinesJudge, endpoint: Endpoint | None, http: httpx.AsyncClient
    ) -> None:
        super().__init__(spec)
        self._endpoint = endpoint
        self._http = http
        # With an endpoint of ours the scorer never reaches its model, so any will do that it takes without looking.
        self._scorer = make_scorer(spec, "openai:/asked-by-tracegauge" if endpoint else spec.model)
        takes = arguments_of(self._scorer)
        self._sees: list[str] = [name for name in ("inputs", "outputs") if name in takes]
        kind = type(self._scorer).__name__
        self._needs: list[str] = [*self._sees, *(["expectations"] if kind in NEEDS_EXPECTATIONS else [])]
        if spec.scope == "session":
            self._sees = self._needs = ["conversation"]
        elif not self._sees:
            self._sees = self._needs = ["trace"]
        self._has_expectations = "expectations" in takes

    @property
    def endpoint(self) -> str:
        """The base URL, else the provider."""
        return self._endpoint.base_url if self._endpoint else (self.spec.model or "").partition(":/")[0]

    def content(self, traces: Sequence[Trace]) -> Content:
        """The texts that the scorer is called with, and the traces."""
        variables = [*self._sees, *(["expectations"] if self._has_expectations else [])]
        return see(traces, variables, self.spec.extract)

    def estimate(self, content: Content) -> Usage:
        """One request; a scorer that asks for each retrieved document makes more."""
        if not_judgeable(content, self._needs, self.spec.extract.max_chars):
            return NOTHING_USED
        text = "".join(content.texts.values()) + " " * _PROMPT_CHARS
        return estimated(self._endpoint.model if self._endpoint else self.spec.model or "", text, self.spec)

    async def judge(self, content: Content) -> Judgement:
        """Call the scorer."""
        missing = not_judgeable(content, self._needs, self.spec.extract.max_chars)
        if missing:
            return missing
        began_ns = time.perf_counter_ns()
        calls = _Calls(self.spec, self._endpoint, self._http)
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                judgement = await in_thread(lambda: self._called(content, calls))
        except TimeoutError:
            judgement = Failed(kind="timed_out", message=f"no answer within {self.spec.timeout_s:g} s")
        finally:
            calls.give_up()
        used = {"calls": calls.count, "usage": calls.usage, "latency_ns": time.perf_counter_ns() - began_ns}
        return judgement.model_copy(update=used)

    def _called(self, content: Content, calls: "_Calls") -> Judgement:
        values: dict[str, Any] = {
            "inputs": None if content.inputs is None else {"request": content.inputs},
            "outputs": content.outputs,
            "expectations": json.loads(content.expectations) if content.expectations else None,
            "trace": content.traces[-1] if content.traces else None,
            "session": list(content.traces) or None,
        }
        try:
            if self._endpoint is None:
                said = call(self._scorer, values)
            else:
                with answered_by(calls):
                    said = call(self._scorer, values)
        except Exception as error:  # whatever a scorer raises is its judgement's failure
            return calls.failure or failure_of(error)
        fault = error_of(said)
        if calls.failure or fault:
            return calls.failure or Failed(kind="raised", message=fault or "")
        value, rationale = one_value(said, self.spec.value)
        try:
            fit = fitting(value, self.spec.value)
        except OutOfTypeError as error:
            return Failed(kind="out_of_type", message=str(error))
        return Scored(value=fit, rationale=rationale, model=calls.model)


class _Calls:
    """The requests of one judgement, made on the event loop for the scorer's thread."""

    def __init__(
        self, spec: BuiltinJudge | GuidelinesJudge, endpoint: Endpoint | None, http: httpx.AsyncClient
    ) -> None:
        self.count = 0
        self.usage = NOTHING_USED
        self.model: str | None = spec.model
        self.failure: Failed | None = None
        self._spec = spec
        self._endpoint = endpoint
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._waiting: Future[Reply | Failed] | None = None
        self._given_up = False

    def give_up(self) -> None:
        """Nobody waits for the scorer any more: let its thread end."""
        self._given_up = True
        if self._waiting is not None:
            self._waiting.cancel()

    def __call__(self, messages: list[dict[str, str]], schema: dict[str, Any] | None) -> dict[str, Any]:
        """The answer's object. Raises _StoppedError where there is none; `failure` then says why."""
        text = self._ask(messages, schema)
        try:
            return self._read(text)
        except AnswerError as fault:
            text = self._ask(repair_messages(messages, text, str(fault)), schema)
        try:
            return self._read(text)
        except AnswerError as fault:
            kind = "out_of_type" if isinstance(fault, OutOfTypeError) else "malformed"
            self.failure = Failed(kind=kind, message=f"{fault} (asked twice)")
            raise _StoppedError from fault

    def _read(self, text: str) -> dict[str, Any]:
        said = json_object(text)
        if self._spec.value.type == "categories" and isinstance(said["result"], str):
            alike = [one for one in self._spec.value.categories if one.lower() == said["result"].strip().lower()]
            if not alike:
                raise OutOfTypeError(f"the result {said['result']!r} is not {value_in_words(self._spec.value)}")
        return said

    def _ask(self, messages: list[dict[str, str]], schema: dict[str, Any] | None) -> str:
        assert self._endpoint
        if self._given_up:
            raise _StoppedError
        body: dict[str, Any] = {"messages": messages, **self._spec.inference_params}
        if schema is not None:
            schema = {**schema, "additionalProperties": False}
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "judgement", "schema": schema}}
        self.count += 1
        self._waiting = asyncio.run_coroutine_threadsafe(ask(self._http, self._endpoint, body), self._loop)
        reply = self._waiting.result()
        if isinstance(reply, Failed):
            self.failure = reply
            raise _StoppedError(reply.message)
        self.usage = self.usage + reply.usage
        self.model = reply.model
        return reply.text


class _StoppedError(Exception):
    """The scorer can't go on: its request failed."""
