"""Chat models of real providers: made without any request, refused before anything runs."""

from importlib.util import find_spec
from typing import Any

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.workflow import LLMConfig, Node, WorkflowFile
from tracegauge.workflows import ScriptedChatModel
from tracegauge.workflows.chat_models import make_chat_model
from tracegauge.workflows.llm_settings import llm_settings

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY", "ollama": None}
PACKAGES = {
    "openai": "langchain_openai",
    "anthropic": "langchain_anthropic",
    "google": "langchain_google_genai",
    "ollama": "langchain_ollama",
}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*KEYS.values(), "GEMINI_API_KEY"):
        if key:
            monkeypatch.delenv(key, raising=False)


def settings(**llm: Any) -> LLMConfig:
    return LLMConfig.model_validate(llm)


def test_the_scripted_model_is_the_default() -> None:
    model = make_chat_model(settings())
    assert isinstance(model, ScriptedChatModel)
    assert (model.model_name, model.latency_ms, model.max_tokens) == ("scripted", 0, None)
    model = make_chat_model(settings(model="small", max_tokens=5, scripted={"seed": 3, "latency_ms": 2}))
    assert isinstance(model, ScriptedChatModel)
    assert (model.model_name, model.seed, model.latency_ms, model.max_tokens) == ("small", 3, 2, 5)


@pytest.mark.parametrize("provider", PACKAGES)
def test_a_missing_package_is_told(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracegauge.workflows.chat_models.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=f"needs the package {PACKAGES[provider].replace('_', '-')}") as caught:
        make_chat_model(settings(provider=provider, model="m"))
    assert caught.value.hint == "install it with: pip install 'tracegauge[providers]'"


@pytest.mark.parametrize("provider", [name for name, key in KEYS.items() if key])
def test_a_missing_key_is_told(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracegauge.workflows.chat_models.find_spec", lambda name: object())
    with pytest.raises(ConfigError, match="needs an API key") as caught:
        make_chat_model(settings(provider=provider, model="m"))
    assert KEYS[provider] in (caught.value.hint or "")


@pytest.mark.parametrize("provider", PACKAGES)
def test_a_missing_model_is_told(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracegauge.workflows.chat_models.find_spec", lambda name: object())
    if KEYS[provider]:
        monkeypatch.setenv(str(KEYS[provider]), "key")
    with pytest.raises(ConfigError, match="needs the name of a model"):
        make_chat_model(settings(provider=provider))


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("openai", {"model_name": "m", "temperature": 0.5, "max_tokens": 7, "request_timeout": 9.0}),
        ("anthropic", {"model": "m", "temperature": 0.5, "max_tokens": 7, "default_request_timeout": 9.0}),
        ("google", {"temperature": 0.5, "max_output_tokens": 7, "timeout": 9.0}),
        ("ollama", {"model": "m", "temperature": 0.5, "num_predict": 7, "client_kwargs": {"timeout": 9.0}}),
    ],
)
def test_settings_reach_the_provider(provider: Any, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec(PACKAGES[provider]) is None:
        pytest.skip("the extra `providers` is not installed")
    if KEYS[provider]:
        monkeypatch.setenv(str(KEYS[provider]), "key")
    llm = settings(provider=provider, model="m", temperature=0.5, max_tokens=7, api_base="http://127.0.0.1:9/v1")
    model = make_chat_model(llm, timeout_s=9.0)
    assert {name: getattr(model, name) for name in expected} == expected
    assert "http://127.0.0.1:9/v1" in {str(value) for value in vars(model).values()}, "api_base"


def file_with(**llm: Any) -> WorkflowFile:
    return WorkflowFile.model_validate(
        {
            "schema_version": "1.0",
            "flow": {"name": "f"},
            "state": {"fields": {"a": {"type": "str"}}},
            "nodes": [{"id": "n", "prompt": "p", "outputs": ["a"]}],
            "edges": [{"from": "START", "to": "n"}],
            "config": {"llm": llm},
        }
    )


def node_with(**llm: Any) -> Node:
    return Node.model_validate({"id": "n", "prompt": "p", "outputs": ["a"], "llm": llm})


def test_a_node_changes_what_it_names() -> None:
    found = llm_settings(node_with(temperature=0.9), file_with(provider="openai", model="m", temperature=0.1))
    assert (found.provider, found.model, found.temperature) == ("openai", "m", 0.9)


def test_another_provider_takes_no_model_over() -> None:
    workflow = file_with(provider="openai", model="m", api_base="http://a", temperature=0.1)
    found = llm_settings(node_with(provider="anthropic", model="n"), workflow)
    assert (found.provider, found.model, found.api_base, found.temperature) == ("anthropic", "n", None, 0.1)
    assert llm_settings(node_with(provider="scripted"), workflow).model is None


def test_what_the_caller_asks_of_the_scripted_model() -> None:
    found = llm_settings(node_with(), file_with(scripted={"seed": 1, "latency_ms": 5}), latency_ms=0.0, model_seed=2)
    assert found.scripted is not None
    assert (found.scripted.seed, found.scripted.latency_ms) == (2, 0.0)
    assert llm_settings(node_with(), file_with(provider="openai", model="m"), latency_ms=3).scripted is None
