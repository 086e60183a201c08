"""Which `llm` settings hold for a node: its own go before the workflow's, and a caller's before both."""

from typing import Any

from tracegauge.config.workflow import LLMConfig, Node, ScriptedConfig, WorkflowFile

_OF_A_PROVIDER = ("model", "api_base", "scripted")


def llm_settings(
    node: Node, workflow: WorkflowFile, latency_ms: float | None = None, model_seed: int | None = None
) -> LLMConfig:
    """The settings, with a provider that is never None. `latency_ms` and `model_seed` are for the scripted model."""
    own = node.llm.model_dump(exclude_none=True)
    general = {"provider": "scripted", **workflow.config.llm.model_dump(exclude_none=True)}
    if own.get("provider", general["provider"]) != general["provider"]:  # a model's name means nothing elsewhere
        general = {name: value for name, value in general.items() if name not in _OF_A_PROVIDER}
    settings: dict[str, Any] = {**general, **own}
    if settings["provider"] == "scripted":
        asked = {"latency_ms": latency_ms, "seed": model_seed}
        given = {name: value for name, value in asked.items() if value is not None}
        settings["scripted"] = {**ScriptedConfig().model_dump(), **settings.get("scripted", {}), **given}
    return LLMConfig.model_validate(settings)
