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
from langchain_core.messages.tool import tool_call
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from tracegauge.workflows.json_values import value_for

_WORDS = (
    "the model answers with words that mean nothing but always come in one order because tests and benchmarks need "
    "text of a known length which no network has to deliver and nobody has to pay for so every run is like the last"
).split()
_CHARACTERS_PER_TOKEN = 4
_STREAM_CHUNKS = 8


class ScriptedChatModel(BaseChatModel):
    """Answers the same prompt with the same text in every process; only `seed` and the settings below change it.

    With bound tools it calls one, once per human message, with arguments that fit the tool's schema, and answers when
    it sees the tool's result. Asked for structured output, it answers with JSON that fits. Token counts are one per
    four characters, rounded up.
    """

    model_name: str = "scripted"
    seed: int = 0
    latency_ms: float = 0.0
    """Median time per call, in milliseconds."""
    latency_sigma: float = 0.0
    """Spread of the time per call: the standard deviation of its logarithm (log-normal). 0: always the same."""
    answer_characters: int = 400
    """Length of an answer's text."""

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
        """Offer tools, as every chat model of LangChain does."""
        schemas = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=schemas, tool_choice=tool_choice, **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer with JSON of this schema: a JSON Schema (gives a dict) or a pydantic model (gives an instance)."""
        if include_raw or kwargs:
            raise ValueError("the scripted model has no include_raw or other options for structured output")
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            return self.bind(json_schema=schema.model_json_schema()) | PydanticOutputParser(pydantic_object=schema)
        if not isinstance(schema, dict):
            raise TypeError(f"a JSON Schema or a pydantic model is needed, not {schema!r}")
        return self.bind(json_schema=schema) | JsonOutputParser()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rng, message = self._answer(messages, kwargs)
        if self.latency_ms:
            time.sleep(self._latency_s(rng))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rng, message = self._answer(messages, kwargs)
        if self.latency_ms:
            await asyncio.sleep(self._latency_s(rng))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        rng, message = self._answer(messages, kwargs)
        chunks = _chunks(message)
        pause_s = self._latency_s(rng) / len(chunks)
        for chunk in chunks:
            if pause_s:
                time.sleep(pause_s)
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
        rng, message = self._answer(messages, kwargs)
        chunks = _chunks(message)
        pause_s = self._latency_s(rng) / len(chunks)
        for chunk in chunks:
            if pause_s:
                await asyncio.sleep(pause_s)
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _answer(self, messages: list[BaseMessage], options: dict[str, Any]) -> tuple[random.Random, AIMessage]:
        prompt = "\n".join(f"{message.type}: {message.text}" for message in messages)
        digest = hashlib.sha256(f"{self.seed}\n{prompt}".encode()).digest()
        rng = random.Random(digest)
        tools = options.get("tools") or []
        calls = []
        content = ""
        if options.get("json_schema"):
            content = json.dumps(value_for(options["json_schema"], rng, _last_question(messages)))
        elif tools and (options.get("tool_choice") or not _has_tool_result(messages)):
            function = rng.choice(tools)["function"]
            arguments = value_for(function["parameters"], rng, _last_question(messages))
            calls.append(tool_call(name=function["name"], args=arguments, id=f"call_{digest.hex()[:12]}"))
        else:
            content = _text(rng, self.answer_characters)
        message = AIMessage(
            content=content,
            tool_calls=calls,
            id=f"run-{digest.hex()[:16]}",
            response_metadata={"model_name": self.model_name, "finish_reason": "tool_calls" if calls else "stop"},
            usage_metadata=_usage(prompt, content or json.dumps([call["args"] for call in calls])),
        )
        return rng, message

    def _latency_s(self, rng: random.Random) -> float:
        spread = rng.lognormvariate(0.0, self.latency_sigma) if self.latency_sigma else 1.0
        return self.latency_ms * spread / 1000


def _chunks(message: AIMessage) -> list[ChatGenerationChunk]:
    text = message.text
    if message.tool_calls or not text:
        pieces = [text]
    else:
        length = -(-len(text) // _STREAM_CHUNKS)
        pieces = [text[i : i + length] for i in range(0, len(text), length)]
    chunks = [ChatGenerationChunk(message=AIMessageChunk(content=piece, id=message.id)) for piece in pieces[:-1]]
    last = AIMessageChunk(
        content=pieces[-1],
        id=message.id,
        tool_call_chunks=[
            {"name": call["name"], "args": json.dumps(call["args"]), "id": call["id"], "index": i, "type": "tool_call_chunk"}
            for i, call in enumerate(message.tool_calls)
        ],
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    return [*chunks, ChatGenerationChunk(message=last)]


def _text(rng: random.Random, characters: int) -> str:
    words: list[str] = []
    length = 0
    while length < characters:
        words.append(rng.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)[:characters].capitalize()


def _usage(prompt: str, answer: str) -> UsageMetadata:
    inputs, outputs = -(-len(prompt) // _CHARACTERS_PER_TOKEN), -(-len(answer) // _CHARACTERS_PER_TOKEN)
    return UsageMetadata(input_tokens=inputs, output_tokens=outputs, total_tokens=inputs + outputs)


def _last_question(messages: Sequence[BaseMessage]) -> str:
    return next((message.text for message in reversed(messages) if isinstance(message, HumanMessage)), "")


def _has_tool_result(messages: Sequence[BaseMessage]) -> bool:
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return False
        if isinstance(message, ToolMessage):
            return True
    return False


