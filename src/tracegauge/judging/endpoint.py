"""Where the requests of a judge go, and with which key."""

import os
from dataclasses import dataclass, field

import mlflow

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import AskingJudge

OPENAI = "https://api.openai.com/v1"
_DEFAULT_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint and the model to ask for there."""

    base_url: str
    """Up to and without `/chat/completions`."""
    model: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Authorization, if there is any."""

    @property
    def chat_url(self) -> str:
        """Where chat completions are asked for."""
        return f"{self.base_url}/chat/completions"


def endpoint_of(spec: AskingJudge) -> Endpoint | None:
    """The endpoint of a judge; None for a model that only MLflow knows how to reach, such as `anthropic:/…`.

    Raises ConfigError where the judge has no model, a named variable holds no key, or `gateway:/` has no server.
    """
    if spec.model is None:
        raise ConfigError(f"the judge {spec.name!r} has no model", hint="write `model: openai:/…` in its file")
    provider, _, model = spec.model.partition(":/")
    if spec.base_url is not None:
        return Endpoint(_without_route(spec.base_url), model, _authorization(spec))
    if provider == "openai":
        return Endpoint(OPENAI, model, _authorization(spec))
    if provider == "gateway":
        return Endpoint(f"{gateway_server(spec.name)}/gateway/mlflow/v1", model, _server_authorization())
    _authorization(spec)
    return None


def gateway_server(judge: str) -> str:
    """The server whose gateway answers `gateway:/` models. Raises ConfigError where no http(s) server is named."""
    uri = os.environ.get("MLFLOW_GATEWAY_URI") or mlflow.get_tracking_uri()
    if not uri.startswith(("http://", "https://")):
        raise ConfigError(
            f"the judge {judge!r} asks a gateway, and {uri!r} is no MLflow server",
            hint="set MLFLOW_GATEWAY_URI to the address of the server with the gateway",
        )
    return uri.rstrip("/")


def missing_key(spec: AskingJudge) -> str | None:
    """Name of the variable that should hold the judge's key and holds none; None if nothing is missing."""
    if spec.api_key_env:
        return None if os.environ.get(spec.api_key_env) else spec.api_key_env
    asks_openai = spec.base_url is None and (spec.model or "").startswith("openai:/")
    return _DEFAULT_KEY if asks_openai and not os.environ.get(_DEFAULT_KEY) else None


def _authorization(spec: AskingJudge) -> dict[str, str]:
    missing = missing_key(spec)
    if missing:
        raise ConfigError(
            f"the variable {missing} holds no key for the judge {spec.name!r}", hint=f"export {missing}=…"
        )
    name = spec.api_key_env
    # A key for OpenAI goes to OpenAI, or where OPENAI_BASE_URL sends it; never to an address out of a file.
    if name is None and spec.base_url in (None, os.environ.get("OPENAI_BASE_URL")):
        name = _DEFAULT_KEY
    key = os.environ.get(name) if name else None
    return {"authorization": f"Bearer {key}"} if key else {}


def _server_authorization() -> dict[str, str]:
    """What MLflow's own client sends to its server."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if token:
        return {"authorization": f"Bearer {token}"}
    user, password = os.environ.get("MLFLOW_TRACKING_USERNAME"), os.environ.get("MLFLOW_TRACKING_PASSWORD")
    if user and password:
        import base64

        return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {}


def _without_route(url: str) -> str:
    return url.rstrip("/").removesuffix("/chat/completions")
