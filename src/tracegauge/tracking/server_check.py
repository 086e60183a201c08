"""Can MLflow use this tracking server? Asked once, before anything depends on the answer."""

import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests

from tracegauge.tracking.causes import causes
from tracegauge.tracking.compat.store_client import server_request

Outcome = Literal[
    "ok", "unreachable", "refused", "timeout", "wrong_service", "unauthorized", "tls_failure", "server_error"
]

_HEADLINES: dict[Outcome, str] = {
    "ok": "answers",
    "unreachable": "is unreachable",
    "refused": "refused the connection",
    "timeout": "did not answer in time",
    "wrong_service": "is no MLflow tracking server",
    "unauthorized": "does not accept our credentials",
    "tls_failure": "failed the TLS handshake",
    "server_error": "is broken",
}

# What follows a host's colon up to the last @ of the host's part; a number and nothing more is a port.
_PASSWORD = re.compile(r"(//[^/:@\s]*:)(?!\d+(?:[/\s]|$))(?:[^/\s]*|[^@\s]*)@")
_PASSWORD_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&\s]*")

SEARCH_EXPERIMENTS = "/api/2.0/mlflow/experiments/search?max_results=1"


@dataclass(frozen=True)
class ServerCheck:
    """What came of checking a tracking server."""

    uri: str
    outcome: Outcome
    detail: str
    elapsed_s: float

    @property
    def ok(self) -> bool:
        """Whether MLflow can use the server."""
        return self.outcome == "ok"

    def __str__(self) -> str:
        return f"the tracking server {without_password(self.uri)} {_HEADLINES[self.outcome]} ({self.detail})"


def check_server(uri: str, timeout_s: float) -> ServerCheck:
    """Connect, `GET /health`, then one authenticated call, all within `timeout_s` seconds.

    The requests are made by MLflow's own client: credentials, certificates, proxies, and plugins that sign requests are
    what they will be later. Never raises.
    """
    started = time.monotonic()
    # Name resolution knows no timeout, and a server that dribbles bytes outwits those of sockets: the deadline is kept
    # by not waiting any longer for a thread that does the work.
    answers: queue.SimpleQueue[tuple[Outcome, str]] = queue.SimpleQueue()
    worker = threading.Thread(target=lambda: answers.put(_check(uri, started + timeout_s)), daemon=True)
    worker.start()
    try:
        outcome, detail = answers.get(timeout=timeout_s)
    except queue.Empty:
        outcome, detail = "timeout", f"nothing within {timeout_s:g} s"
    return ServerCheck(uri, outcome, detail, time.monotonic() - started)


def without_password(text: str) -> str:
    """A URI, or a text with URIs in it, as it can be shown; also a URI with a mistake in it, which no parser takes."""
    return _PASSWORD_PARAMETER.sub(r"\1…", _PASSWORD.sub(r"\1…@", text))


def _check(uri: str, deadline: float) -> tuple[Outcome, str]:
    try:
        if _proxy_for(uri) is None:
            _connect(uri, deadline)
        health = _get(uri, "/health", deadline)
        # Managed services may not have /health, and proxies may guard it: the authenticated call decides.
        return _judge(_get(uri, SEARCH_EXPERIMENTS, deadline), health)
    except Exception as error:
        return _explain(error, uri)


def _get(uri: str, path: str, deadline: float) -> Any:
    """One answer, as `requests.Response`. A connection that breaks is asked for anew, once.

    MLflow's client keeps connections open, and a server that closes an idle one just as it is used again resets it:
    that says nothing about the server.
    """
    try:
        return server_request(uri, path, _remaining(deadline))
    except Exception as error:
        if not any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes(error)):
            raise
    return server_request(uri, path, _remaining(deadline))


def _remaining(deadline: float) -> float:
    return max(0.05, deadline - time.monotonic())


def _connect(uri: str, deadline: float) -> None:
    """Open and close a TCP connection. Each address of the host, IPv6 or IPv4, gets its share of the time."""
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        with socket.socket(family, kind, protocol) as connection:
            connection.settimeout(_remaining(deadline) / (len(addresses) - index))
            try:
                connection.connect(address)
            except OSError as error:
                failure = error
            else:
                return
    raise failure or OSError(f"{parts.hostname} has no address")


def _proxy_for(uri: str) -> str | None:
    """The proxy that MLflow's client will use for this URI."""
    parts = urlsplit(uri)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(parts.netloc.rpartition("@")[2]) else None


def _judge(answer: requests.Response, health: requests.Response) -> tuple[Outcome, str]:
    status = answer.status_code
    if status in (401, 403):
        return "unauthorized", f"HTTP {status} {answer.reason}"
    if status == 200 and _is_experiment_list(answer):
        return "ok", "HTTP 200"
    if status >= 500 and health.status_code == 200:
        return "server_error", f"HTTP {status} {answer.reason} for a list of experiments"
    if status >= 500:
        return "server_error", f"HTTP {status} {answer.reason}"
    return "wrong_service", f"HTTP {status} for a list of experiments, and /health answers HTTP {health.status_code}"


def _is_experiment_list(answer: requests.Response) -> bool:
    try:
        body: Any = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("experiments", []), list)


def _explain(error: BaseException, uri: str) -> tuple[Outcome, str]:
    """The outcome that an exception stands for, looked for in the whole chain of what caused it."""
    chain = list(causes(error))
    proxy = _proxy_for(uri)
    through = f" through the proxy {without_password(proxy)}" if proxy else ""

    def has(*kinds: type[BaseException]) -> BaseException | None:
        return next((link for link in chain if isinstance(link, kinds)), None)

    if has(requests.exceptions.SSLError):
        return "tls_failure", f"{_short(has(ssl.SSLError) or error)}{through}"
    if has(requests.exceptions.ReadTimeout):
        return "timeout", f"it takes connections, but gives no answer{through}"
    if has(requests.exceptions.Timeout, TimeoutError):
        return "timeout", f"no connection{through}"
    if has(ConnectionRefusedError):
        return "refused", f"nothing listens there{through}"
    if broken := has(requests.exceptions.ProxyError):
        return "unreachable", f"{_short(broken)}{through}"
    if unknown := has(socket.gaierror):
        return "unreachable", f"unknown host: {unknown}"
    if has(requests.exceptions.ContentDecodingError, requests.exceptions.InvalidHeader):
        return "wrong_service", f"the answer is no HTTP of MLflow's{through}"
    if not_http := _named(chain, "BadStatusLine", "InvalidChunkLength", "RemoteDisconnected", "LineTooLong"):
        return "wrong_service", f"the answer is no HTTP: {_short(not_http)}{through}"
    return "unreachable", f"{_short(chain[-1])}{through}"


def _named(chain: list[BaseException], *names: str) -> BaseException | None:
    return next((link for link in chain if type(link).__name__ in names), None)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"
