"""Chat completions and embeddings in OpenAI's form, whole or as a stream of server-sent events."""

import hashlib
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

from tracegauge.mock_llm.answers import Answer
from tracegauge.mock_llm.requests import ChatRequest, mock_name

_CREATED = 1_767_225_600
"""A fixed time, so that equal requests get equal bodies."""
_CHARS_PER_TOKEN = 4
_PIECE = 24


def tokens_in(text: str) -> int:
    """A rough count of tokens: four characters each."""
    return math.ceil(len(text) / _CHARS_PER_TOKEN)


def usage(request: ChatRequest, answer: Answer) -> dict[str, int]:
    """Tokens of a request and its answer."""
    said = answer.text + "".join(call.name + json.dumps(call.arguments) for call in answer.tool_calls)
    given, made = tokens_in(request.text), tokens_in(said)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def completion(request: ChatRequest, answer: Answer) -> dict[str, Any]:
    """A whole chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = _tool_calls(request, answer)
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer), "logprobs": None}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": usage(request, answer)}


def events(request: ChatRequest, answer: Answer) -> Iterator[bytes]:
    """A chat completion as a stream, in pieces of some characters."""
    head = _head(request, "chat.completion.chunk")

    def event(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return _event({**head, "choices": [choice]})

    yield event({"role": "assistant", "content": ""})
    for start in range(0, len(answer.text), _PIECE):
        yield event({"content": answer.text[start : start + _PIECE]})
    for number, call in enumerate(_tool_calls(request, answer)):
        yield event({"tool_calls": [{"index": number, **call}]})
    yield event({}, _reason(answer))
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield _event({**head, "choices": [], "usage": usage(request, answer)})
    yield b"data: [DONE]\n\n"


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Vectors of length 1 that depend on the texts alone. Raises ValueError where there are no texts."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise ValueError("`input` must be a text or a list of texts")
    count = int(body.get("dimensions") or 64)
    vectors = [_vector(str(text), count) for text in texts]
    tokens = sum(tokens_in(str(text)) for text in texts)
    base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": number, "embedding": _base64(vector) if base64 else vector}
        for number, vector in enumerate(vectors)
    ]
    used = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": mock_name(str(body.get("model", ""))), "usage": used}


def error(status: int, message: str, kind: str = "mock_error") -> dict[str, Any]:
    """An error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": None, "code": str(status)}}


def _head(request: ChatRequest, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-mock-{request.digest[:12]}",
        "object": kind,
        "created": _CREATED,
        "model": request.answering_model,
        "system_fingerprint": "mock",
    }


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\n\n"


def _tool_calls(request: ChatRequest, answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{request.digest[:8]}_{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
        }
        for number, call in enumerate(answer.tool_calls)
    ]


def _reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool_calls else "stop"


def _vector(text: str, count: int) -> list[float]:
    digest = hashlib.shake_256(text.encode()).digest(2 * count)
    raw = [number / 32_768 for (number,) in struct.iter_unpack("<h", digest)]
    length = math.sqrt(sum(one * one for one in raw)) or 1.0
    return [one / length for one in raw]


def _base64(vector: list[float]) -> str:
    from base64 import b64encode

    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
