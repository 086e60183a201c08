"""Serving the mock on loopback."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tracegauge.mock_llm.app import make_app
from tracegauge.mock_llm.script import MockScript

HOST = "127.0.0.1"


class _Protocol(H11Protocol):
    """Hands the connection on to the application, which may reset it, and sends at once.

    asyncio leaves Nagle's algorithm on for connections to a socket that it did not make: the body of an answer would
    wait 40 ms for an acknowledgement of its head.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def serve(script: MockScript, port: int = 0, ready: Callable[[str], Any] = print) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the base URL (up to `/v1`) once connections are accepted.

    Port 0 takes a free one. Raises OSError where the port is taken.
    """
    with socket.create_server((HOST, port), backlog=1024) as listening:
        listening.setblocking(False)
        url = f"http://{HOST}:{listening.getsockname()[1]}/v1"
        config = uvicorn.Config(
            make_app(script), http=_Protocol, log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
        asyncio.run(_Server(config, lambda: ready(url)).serve(sockets=[listening]))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], Any]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
