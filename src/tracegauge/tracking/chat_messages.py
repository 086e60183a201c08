"""LangChain's messages as the chat format that MLflow's UI and judges understand."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import LLMResult

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


def chat_message(message: BaseMessage) -> dict[str, Any]:
    """One message: role, content, and the tool calls it makes or answers."""
    chat: dict[str, Any] = {
        "role": getattr(message, "role", None) or _ROLES.get(message.type, message.type),
        "content": message.content,
    }
    if isinstance(message, AIMessage) and message.tool_calls:
        chat["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"], default=str)},
            }
            for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        chat["tool_call_id"] = message.tool_call_id
    return chat


def chat_request(batches: Iterable[Iterable[BaseMessage]]) -> dict[str, Any]:
    """What a chat model was asked."""
    return {"messages": [chat_message(message) for messages in batches for message in messages]}


def chat_response(result: LLMResult) -> dict[str, Any]:
    """What a model answered."""
    generations = (generation for batch in result.generations for generation in batch)
    return {
        "choices": [
            {
                "message": chat_message(message)
                if isinstance(message := getattr(generation, "message", None), BaseMessage)
                else {"role": "assistant", "content": generation.text}
            }
            for generation in generations
        ]
    }


def token_usage(result: LLMResult) -> dict[str, int] | None:
    """Tokens of a model call, with MLflow's names; None where the model doesn't tell."""
    total: dict[str, int] = {}
    for batch in result.generations:
        for generation in batch:
            for name, tokens in _usage_of(getattr(generation, "message", None)).items():
                total[name] = total.get(name, 0) + tokens
    return total or None


def _usage_of(message: Any) -> Mapping[str, int]:
    usage = getattr(message, "usage_metadata", None)
    if not usage:
        return {}
    counts = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens") if name in usage}
    details = usage.get("input_token_details") or {}
    for ours, theirs in (("cache_read", "cache_read_input_tokens"), ("cache_creation", "cache_creation_input_tokens")):
        if details.get(ours):
            counts[theirs] = details[ours]
    return counts
