"""What of a chat request decides the answer."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any


@dataclass(frozen=True)
class ChatRequest:
    """A request for a chat completion."""

    body: dict[str, Any]
    raw: bytes
    """As it was sent: equal requests get equal answers."""

    @property
    def model(self) -> str:
        """The requested model."""
        return str(self.body.get("model", ""))

    @property
    def answering_model(self) -> str:
        """What the mock calls itself: nobody shall take its answers for those of the requested model."""
        return mock_name(self.model)

    @cached_property
    def text(self) -> str:
        """All that the messages say."""
        return "\n".join(_text(message.get("content")) for message in self.body["messages"])

    @property
    def last_user_text(self) -> str:
        """The last message of the user."""
        said = [message for message in self.body["messages"] if message.get("role") == "user"]
        return _text(said[-1].get("content")) if said else self.text

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer shall have; an empty one for JSON of any form; None for a text."""
        form = self.body.get("response_format") or {}
        if form.get("type") == "json_schema":
            return dict(form["json_schema"].get("schema") or {})
        return {} if form.get("type") == "json_object" else None

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The functions that may be called, unless the request forbids it."""
        if self.body.get("tool_choice") == "none":
            return []
        return [tool["function"] for tool in self.body.get("tools") or [] if tool.get("type") == "function"]

    @property
    def tool_results(self) -> list[str]:
        """What tools have answered since the user's last message."""
        results: list[str] = []
        for message in reversed(self.body["messages"]):
            if message.get("role") == "user":
                break
            if message.get("role") == "tool":
                results.insert(0, _text(message.get("content")))
        return results

    @cached_property
    def digest(self) -> str:
        """The same for equal requests."""
        return hashlib.sha256(self.raw).hexdigest()

    def random(self, seed: int, *more: object) -> Random:
        """Chance that depends on nothing but seed, request and `more`: not on the order in which requests come."""
        return Random(":".join(map(str, (seed, self.digest, *more))))

    def holds(self, match: str, model: str) -> bool:
        """Whether messages and model's name hold these regular expressions."""
        return bool(re.search(match, self.text, re.DOTALL) and re.search(model, self.model))


def mock_name(model: str) -> str:
    """The name of a model with `mock-` before it."""
    return model if model.startswith("mock") else f"mock-{model}".rstrip("-")


def chat_request(raw: bytes) -> ChatRequest:
    """Read a request. Raises ValueError for what is none."""
    body = json.loads(raw)
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages) or not messages:
        raise ValueError("`messages` must be a list of messages")
    return ChatRequest(body, raw)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""
