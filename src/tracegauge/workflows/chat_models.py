"""From a workflow's `llm` settings to a LangChain chat model."""

import os
from importlib.util import find_spec

from langchain_core.language_models import BaseChatModel

from tracegauge.config.errors import ConfigError
from tracegauge.config.workflow import LLMConfig
from tracegauge.workflows.scripted import ScriptedChatModel

_PROVIDERS = {
    # provider: (LangChain's name, package, environment variable with the key)
    "openai": ("openai", "langchain_openai", "OPENAI_API_KEY"),
    "anthropic": ("anthropic", "langchain_anthropic", "ANTHROPIC_API_KEY"),
    "google": ("google_genai", "langchain_google_genai", "GOOGLE_API_KEY"),
    "ollama": ("ollama", "langchain_ollama", None),
}


def merged(node: LLMConfig, workflow: LLMConfig) -> LLMConfig:
    """The node's settings, and the workflow's where the node has none."""
    return workflow.model_copy(update=node.model_dump(exclude_none=True))


def chat_model(llm: LLMConfig, *, latency_ms: float = 0.0) -> BaseChatModel:
    """The chat model. `latency_ms` is for the scripted one, which is the default.

    Raises ConfigError, before anything runs, for a provider whose package or API key is missing.
    """
    if llm.provider in (None, "scripted"):
        return ScriptedChatModel(model_name=llm.model or "scripted", latency_ms=latency_ms)
    provider, package, key = _PROVIDERS[llm.provider]
    for needed in ("langchain", package):
        if find_spec(needed) is None:
            raise ConfigError(
                f"the provider {llm.provider!r} needs the package {needed.replace('_', '-')}",
                hint="install it with: pip install 'tracegauge[providers]'",
            )
    if key and not os.environ.get(key):
        raise ConfigError(f"the provider {llm.provider!r} needs an API key", hint=f"set the environment variable {key}")
    if not llm.model:
        raise ConfigError(f"the provider {llm.provider!r} needs the name of a model", hint="add `model` to `llm`")
    from langchain.chat_models import init_chat_model

    settings = {"temperature": llm.temperature, "max_tokens": llm.max_tokens, "base_url": llm.api_base}
    given = {name: value for name, value in settings.items() if value is not None}
    model: BaseChatModel = init_chat_model(llm.model, model_provider=provider, **given)
    return model
