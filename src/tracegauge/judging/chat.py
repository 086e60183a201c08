"""One request for a chat completion, and what became of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tracegauge.judging.endpoint import Endpoint
from tracegauge.prices import built_in_prices
from tracegauge.results.judgement import Failed, FailureKind, Usage


@dataclass(frozen=True)
class Reply:
    """What a model said."""

    text: str
    model: str
    """As the endpoint calls it."""
    usage: Usage


async def ask(http: httpx.AsyncClient, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply | Failed:
    """Send one request. Never raises for what an endpoint does; how long it may take is the caller's to say."""
    try:
        response = await http.post(
            endpoint.chat_url, json={"model": endpoint.model, **body}, headers=endpoint.headers, timeout=None
        )
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        return Failed(kind="unreachable", message=f"{endpoint.base_url}: {reason}", calls=1)
    except (httpx.InvalidURL, UnicodeError) as error:
        return Failed(kind="refused", message=f"{endpoint.base_url}: {error}", calls=1)
    if response.status_code != httpx.codes.OK:
        return _refused(response)
    return _reply(response, endpoint.model)


def cost_usd(model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
    """What a call costs by the built-in table; None where the model's price is not known."""
    return built_in_prices().cost_usd(model, input_tokens, output_tokens, cache_read_tokens=cached_tokens)


def _reply(response: httpx.Response, model: str) -> Reply | Failed:
    try:
        content = response.json()
        message = content["choices"][0]["message"]
        text = message.get("content") or ""
        if isinstance(text, list):
            text = "".join(part.get("text", "") for part in text)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, IndexError, TypeError, AttributeError):
        shown = response.text[:200]
        return Failed(kind="malformed", message=f"the endpoint sent no chat completion: {shown!r}", calls=1)
    used = content.get("usage") or {}
    given, made = int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)
    cached = int((used.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    usage = Usage(input_tokens=given, output_tokens=made, cost_usd=cost_usd(model, given, made, cached))
    return Reply(text, str(content.get("model") or model), usage)


def kind_of_status(status: int) -> FailureKind:
    """The kind of failure that an HTTP status other than 200 stands for."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return "rate_limited"
    if status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "server_error"
    return "refused"


def _refused(response: httpx.Response) -> Failed:
    message = f"HTTP {response.status_code}: {_reason(response)}"
    kind = kind_of_status(response.status_code)
    return Failed(kind=kind, message=message, retry_after_s=_retry_after_s(response.headers), calls=1)


def _reason(response: httpx.Response) -> str:
    """What the endpoint says of its refusal: OpenAI's and FastAPI's forms, else the begin of the body."""
    try:
        content = response.json()
        reason = content.get("error", content.get("detail", content))
        reason = reason.get("message", reason) if isinstance(reason, dict) else reason
    except (ValueError, AttributeError):
        reason = response.text
    return " ".join(str(reason).split())[:300] or response.reason_phrase


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds that the endpoint asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            return max(0.0, float(text) / unit)
        except ValueError:
            pass
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            pass
    return None
