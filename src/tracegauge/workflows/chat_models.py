"""From `llm` settings to a LangChain chat model."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from langchain_core.language_models import BaseChatModel

from tracegauge.config.errors import ConfigError
from tracegauge.config.workflow import LLMConfig, ScriptedConfig
from tracegauge.workflows.scripted import ScriptedChatModel


@dataclass(frozen=True)
class _Provider:
    """How LangChain has a provider."""

    name: str
    package: str
    keys: tuple[str, ...]
    """Environment variables, one of which holds the API key."""
    max_tokens: str = "max_tokens"


_PROVIDERS = {
    "openai": _Provider("openai", "langchain_openai", ("OPENAI_API_KEY",)),
    "anthropic": _Provider("anthropic", "langchain_anthropic", ("ANTHROPIC_API_KEY",)),
    "google": _Provider("google_genai", "langchain_google_genai", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "ollama": _Provider("ollama", "langchain_ollama", (), max_tokens="num_predict"),
}


def make_chat_model(llm: LLMConfig, *, timeout_s: float | None = None) -> BaseChatModel:
    """The chat model; the scripted one if no provider is given. `timeout_s` bounds each request to a provider.

    Raises ConfigError, before anything runs, where a provider's package, its API key or the model's name is missing.
    """
    if llm.provider in (None, "scripted"):
        return _scripted(llm)
    provider = _PROVIDERS[llm.provider]
    if find_spec(provider.package) is None:
        raise ConfigError(
            f"the provider {llm.provider!r} needs the package {provider.package.replace('_', '-')}",
            hint="install it with: pip install 'tracegauge[providers]'",
        )
    if provider.keys and not any(os.environ.get(key) for key in provider.keys):
        raise ConfigError(
            f"the provider {llm.provider!r} needs an API key",
            hint=f"set the environment variable {' or '.join(provider.keys)}",
        )
    if not llm.model:
        raise ConfigError(f"the provider {llm.provider!r} needs the name of a model", hint="add `model` to `llm`")
    from langchain.chat_models import init_chat_model

    settings: dict[str, Any] = {
        "temperature": llm.temperature,
        provider.max_tokens: llm.max_tokens,
        "base_url": llm.api_base,
        **({"client_kwargs": {"timeout": timeout_s}} if llm.provider == "ollama" else {"timeout": timeout_s}),
    }
    given = {name: value for name, value in settings.items() if value not in (None, {"timeout": None})}
    try:
        model: BaseChatModel = init_chat_model(llm.model, model_provider=provider.name, **given)
    except Exception as error:  # whatever a provider's package finds wrong with its settings
        raise ConfigError(f"the model {llm.model!r} of {llm.provider!r} can't be made: {error}") from error
    return model


def _scripted(llm: LLMConfig) -> ScriptedChatModel:
    settings = llm.scripted or ScriptedConfig()
    return ScriptedChatModel(
        model_name=llm.model or "scripted",
        seed=settings.seed,
        latency_ms=settings.latency_ms,
        latency_sigma=settings.latency_sigma,
        answer_characters=settings.answer_characters,
        max_tokens=llm.max_tokens,
    )
