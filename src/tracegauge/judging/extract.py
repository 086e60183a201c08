"""Which part of a trace's inputs and outputs a judge sees."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.entities import Span, Trace

_HUMAN = frozenset({"human", "user", "HumanMessageChunk"})
_AI = frozenset({"ai", "assistant", "AIMessageChunk"})
_ROLES = _HUMAN | _AI | frozenset({"system", "tool", "function", "developer", "SystemMessageChunk", "ToolMessageChunk"})


def root_span(trace: Trace) -> Span | None:
    """The span that has no parent; the first one, should there be several; None for a trace without spans."""
    return next((span for span in trace.data.spans if span.parent_id is None), None)


def inputs_text(trace: Trace, path: str = "auto") -> str | None:
    """What the user asked: see `tracegauge.config.judge_fields.Extract`. None if the trace doesn't have it."""
    root = root_span(trace)
    return None if root is None else extracted(root.inputs, path, _HUMAN)


def outputs_text(trace: Trace, path: str = "auto") -> str | None:
    """What was answered. None if the trace doesn't have it."""
    root = root_span(trace)
    return None if root is None else extracted(root.outputs, path, _AI)


def expectations_text(trace: Trace) -> str | None:
    """What people expect of the trace (MLflow's expectations), as JSON by name; None if there are none."""
    found = {
        one.name: one.expectation.value
        for one in trace.info.assessments
        if getattr(one, "expectation", None) is not None and getattr(one, "valid", True) is not False
    }
    return as_text(found) if found else None


def extracted(value: Any, path: str, roles: frozenset[str]) -> str | None:
    """The part of a value that `auto`, `all` or a path names, as a text; None where it isn't there or is empty."""
    if path == "auto":
        messages = messages_in(value)
        value = _last_said(messages, roles) if messages else value
    elif path != "all":
        value = _at(value, path.split("."))
    return as_text(value)


def as_text(value: Any) -> str | None:
    """A text as it is, anything else as JSON; None for what is empty."""
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    return json.dumps(value, ensure_ascii=False, default=str)


def messages_in(value: Any) -> list[Mapping[str, Any]]:
    """The messages that a value is, or that it holds under `messages` or a single other key; empty if it has none."""
    if isinstance(value, Mapping):
        if "messages" in value:
            return messages_in(value["messages"])
        lists = [found for part in value.values() if isinstance(part, list) and (found := messages_in(part))]
        return lists[0] if len(lists) == 1 else []
    if not isinstance(value, list):
        return []
    messages = [_message(one) for one in value]
    return [one for one in messages if one is not None] if messages and None not in messages else []


def text_of_message(message: Mapping[str, Any]) -> str:
    """What a message says, without pictures and calls of tools."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else part.get("text", "") for part in content]
        return "\n".join(part for part in parts if part)
    return content if isinstance(content, str) else ""


def role_of_message(message: Mapping[str, Any]) -> str:
    """`human`, `ai`, `tool`, … as LangChain says; `user`, `assistant`, … as OpenAI does."""
    return str(message.get("role") or message.get("type"))


def _message(one: Any) -> Mapping[str, Any] | None:
    if isinstance(one, Mapping):
        inner = one.get("kwargs")
        if isinstance(inner, Mapping) and "content" in inner:  # LangChain's own way to serialize
            return inner
        return one if "content" in one and role_of_message(one) in _ROLES else None
    if isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2 and one[0] in _ROLES:
        return {"role": one[0], "content": one[1]}
    return None


def _last_said(messages: list[Mapping[str, Any]], roles: frozenset[str]) -> str | None:
    said = [text_of_message(one) for one in messages if role_of_message(one) in roles]
    return next((text for text in reversed(said) if text.strip()), None)


def _at(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdigit() and -len(value) <= int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
