"""The mock's routes."""

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tracegauge.mock_llm import bodies
from tracegauge.mock_llm.answers import Answer, Answers
from tracegauge.mock_llm.faults import Faults
from tracegauge.mock_llm.requests import ChatRequest, chat_request
from tracegauge.mock_llm.schema_values import unfit_value
from tracegauge.mock_llm.script import Fault, MockScript


def make_app(script: MockScript) -> Starlette:
    """The mock as an ASGI application."""
    mock = _Mock(script)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", mock.chat, methods=["POST"]),
            Route("/v1/embeddings", mock.embeddings, methods=["POST"]),
            Route("/v1/models", mock.models),
            Route("/health", mock.health),
            Route("/stats", mock.stats),
        ]
    )


class _Mock:
    def __init__(self, script: MockScript) -> None:
        self.script = script
        self.answers = Answers(script)
        self.faults = Faults(script)
        self.counts: Counter[str] = Counter()

    async def chat(self, http: Request) -> Response:
        until = asyncio.get_running_loop().time() + self.script.latency_ms / 1000
        self.counts["chat_requests"] += 1
        try:
            raw = await http.body()
        except ClientDisconnect:  # killed while it asked
            return Response()
        refused = self._refused(http)
        if refused:
            return refused
        try:
            request = chat_request(raw)
        except ValueError as error:
            return JSONResponse(bodies.error(400, str(error), "invalid_request_error"), 400)
        if request.schema and not self.script.structured_output:
            message = "response_format of type json_schema is not supported by this model"
            return JSONResponse(bodies.error(400, message, "invalid_request_error"), 400)
        fault = self.faults.of(request)
        if fault:
            self.counts[fault.kind] += 1
            if fault.kind == "reset":
                _reset(http)
                await _gone(http)
            if fault.kind == "hang":
                await _gone(http)
        await asyncio.sleep(until - asyncio.get_running_loop().time())
        if fault and fault.kind == "rate_limited":
            headers = {"retry-after": f"{fault.retry_after_s:g}"}
            return JSONResponse(bodies.error(429, "rate limit of the mock", "rate_limit_exceeded"), 429, headers)
        if fault and fault.kind == "server_error":
            return JSONResponse(bodies.error(500, "the mock fails on purpose", "server_error"), 500)
        self.counts["answered"] += 1
        return _response(request, self._answer(request, fault), fault)

    def _answer(self, request: ChatRequest, fault: Fault | None) -> Answer:
        answer = self.answers.to(request)
        if fault and fault.kind == "malformed_json":
            return Answer(answer.text[: max(1, len(answer.text) * 2 // 3)].rstrip("}] "))
        if fault and fault.kind == "wrong_type":
            return Answer(json.dumps(unfit_value(request.schema)))
        return answer

    def _refused(self, http: Request) -> Response | None:
        if self.script.api_key in (None, http.headers.get("authorization", "").removeprefix("Bearer ")):
            return None
        return JSONResponse(bodies.error(401, "incorrect API key", "invalid_request_error"), 401)

    async def embeddings(self, http: Request) -> Response:
        self.counts["embedding_requests"] += 1
        refused = self._refused(http)
        if refused:
            return refused
        await asyncio.sleep(self.script.latency_ms / 1000)
        try:
            return JSONResponse(bodies.embeddings(json.loads(await http.body())))
        except (ValueError, AttributeError, TypeError) as error:
            return JSONResponse(bodies.error(400, str(error), "invalid_request_error"), 400)

    async def models(self, _http: Request) -> Response:
        model = {"id": "mock", "object": "model", "created": 0, "owned_by": "tracegauge mock"}
        return JSONResponse({"object": "list", "data": [model]})

    async def health(self, _http: Request) -> Response:
        return JSONResponse({"status": "ok", "mock": True})

    async def stats(self, _http: Request) -> Response:
        """How many requests came, were answered, and met which fault."""
        return JSONResponse(self.counts)


def _response(request: ChatRequest, answer: Answer, fault: Fault | None) -> Response:
    streamed = bool(request.body.get("stream"))
    kind = "text/event-stream" if streamed else "application/json"
    if fault and fault.kind == "malformed_body":
        return Response(b'{"choices": [{"message": {"content": "cut', media_type=kind)
    whole = None if streamed else json.dumps(bodies.completion(request, answer), ensure_ascii=False).encode()
    pieces = bodies.events(request, answer) if whole is None else [whole]
    if fault and fault.kind == "slow_stream":
        return StreamingResponse(_slowly(b"".join(pieces), fault.duration_s), media_type=kind)
    return Response(whole, media_type=kind) if whole is not None else StreamingResponse(_all(pieces), media_type=kind)


async def _all(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


async def _slowly(body: bytes, duration_s: float, drops: int = 20) -> AsyncIterator[bytes]:
    size = -(-len(body) // drops)
    for start in range(0, len(body), size):
        await asyncio.sleep(duration_s / drops)
        yield body[start : start + size]


async def _gone(http: Request) -> None:
    """Wait until the client gives up."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


def _reset(http: Request) -> None:
    """Reset the connection, as a crashing server or a strict proxy does, instead of closing it."""
    transport: asyncio.Transport = http.scope["state"]["transport"]
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
