"""The scripted chat model: a deterministic LangChain chat model that needs no network."""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCall, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from tracegauge.workflows.json_values import value_for
from tracegauge.workflows.scripted_text import text_for

CHARACTERS_PER_TOKEN = 4
_STREAM_CHUNKS = 8


class ScriptedChatModel(BaseChatModel):
    """Answers the same prompt with the same text in every process; only `seed` and the settings below change it.

    With tools bound it calls one of them, once per human message, with arguments that fit the tool's schema, and
    answers when it sees the result. `with_structured_output` works as for any model that calls tools. `usage_metadata`
    counts a token per four characters of the messages' and the answer's text, rounded up.
    """

    model_name: str = "scripted"
    seed: int = 0
    latency_ms: float = 0.0
    """Median time per call, in milliseconds."""
    latency_sigma: float = 0.0
    """Spread of the time per call: the standard deviation of its logarithm (log-normal). 0: always the same."""
    answer_characters: int = 400
    """Length of an answer's text."""
    max_tokens: int | None = None
    """Cuts answers' texts short."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "seed": self.seed}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice` is a tool's name, "any" or "required" to force a call, "none" to forbid it."""
        schemas = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=schemas, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        message, latency_s = self._answer(messages, kwargs)
        if latency_s:
            time.sleep(latency_s)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        message, latency_s = self._answer(messages, kwargs)
        if latency_s:
            await asyncio.sleep(latency_s)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        message, latency_s = self._answer(messages, kwargs)
        chunks = _chunks(message)
        for chunk in chunks:
            if latency_s:
                time.sleep(latency_s / len(chunks))
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        message, latency_s = self._answer(messages, kwargs)
        chunks = _chunks(message)
        for chunk in chunks:
            if latency_s:
                await asyncio.sleep(latency_s / len(chunks))
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _answer(self, messages: list[BaseMessage], options: dict[str, Any]) -> tuple[AIMessage, float]:
        """The answer, and how long it takes in seconds."""
        prompt = "\n".join(f"{message.type}: {message.text}" for message in messages)
        digest = hashlib.sha256(f"{self.seed}\n{prompt}".encode()).digest()
        calls = _tool_calls(messages, options, digest)
        text = "" if calls else text_for(digest, self._characters)
        finished = "tool_calls" if calls else "length" if self._characters < self.answer_characters else "stop"
        message = AIMessage(
            content=text,
            tool_calls=calls,
            response_metadata={"model_name": self.model_name, "finish_reason": finished},
            usage_metadata=_usage(prompt, text or json.dumps([call["args"] for call in calls])),
        )
        return message, self._latency_s(digest)

    @property
    def _characters(self) -> int:
        bound = (self.max_tokens or self.answer_characters) * CHARACTERS_PER_TOKEN
        return min(self.answer_characters, bound)

    def _latency_s(self, digest: bytes) -> float:
        if not self.latency_ms or not self.latency_sigma:
            return self.latency_ms / 1000
        return self.latency_ms / 1000 * random.Random(digest).lognormvariate(0.0, self.latency_sigma)


def _tool_calls(messages: list[BaseMessage], options: dict[str, Any], digest: bytes) -> list[ToolCall]:
    """One call of a tool where one is due, else none."""
    tools = {tool["function"]["name"]: tool["function"] for tool in options.get("tools") or []}
    choice = options.get("tool_choice")
    forced = choice in ("any", "required") or choice in tools
    if not tools or choice == "none" or (not forced and _has_tool_result(messages)):
        return []
    rng = random.Random(digest)
    function = tools[choice] if choice in tools else rng.choice(list(tools.values()))
    arguments = value_for(function["parameters"], rng, _last_question(messages))
    return [tool_call(name=function["name"], args=arguments, id=f"call_{digest.hex()[:12]}")]


def _has_tool_result(messages: Sequence[BaseMessage]) -> bool:
    """Whether a tool has answered since the last question."""
    return any(isinstance(message, ToolMessage) for message in messages[_index_of_last_question(messages) :])


def _last_question(messages: Sequence[BaseMessage]) -> str:
    return messages[_index_of_last_question(messages)].text if messages else ""


def _index_of_last_question(messages: Sequence[BaseMessage]) -> int:
    return max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=0)


def _usage(prompt: str, answer: str) -> UsageMetadata:
    inputs, outputs = -(-len(prompt) // CHARACTERS_PER_TOKEN), -(-len(answer) // CHARACTERS_PER_TOKEN)
    return UsageMetadata(input_tokens=inputs, output_tokens=outputs, total_tokens=inputs + outputs)


def _chunks(message: AIMessage) -> list[ChatGenerationChunk]:
    """The message in pieces; the last one has what is known at the end."""
    text = str(message.content)
    count = min(_STREAM_CHUNKS, len(text)) or 1
    *first, last = [text[len(text) * i // count : len(text) * (i + 1) // count] for i in range(count)]
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=i)
        for i, call in enumerate(message.tool_calls)
    ]
    end = AIMessageChunk(
        content=last,
        tool_call_chunks=calls,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    return [ChatGenerationChunk(message=one) for one in (*(AIMessageChunk(content=piece) for piece in first), end)]
