"""Tools that a node may call: two of ours, and any LangChain tool by `module:attribute`."""

from collections.abc import Callable
from typing import Any

from langchain_core.tools import BaseTool, ToolException

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.workflow import ToolUse
from tracegauge.workflows.importing import import_attribute
from tracegauge.workflows.tools.calculator import make_calculator
from tracegauge.workflows.tools.document_search import make_document_search

BUILT_IN: dict[str, Callable[..., BaseTool]] = {
    "calculator": make_calculator,
    "document_search": make_document_search,
}


def make_tool(use: ToolUse) -> BaseTool:
    """The tool, with its settings. Raises ConfigError for a name that is none, and for settings it doesn't have.

    With `on_error: continue` the model is told of an error and goes on; with `fail` the error ends the workflow.
    """
    if use.name in BUILT_IN:
        try:
            tool = BUILT_IN[use.name](**use.config)
        except TypeError as error:
            raise ConfigError(f"tool {use.name!r}: {error}", hint="see its settings in `config`") from error
    elif ":" in use.name:
        tool = import_attribute(use.name, "tool")
        if not isinstance(tool, BaseTool):
            raise ConfigError(
                f"{use.name} is a {type(tool).__name__}, not a LangChain tool", hint="decorate it with @tool"
            )
    else:
        raise ConfigError(
            f"unknown tool {use.name!r}", hint=f"{nearest(use.name, BUILT_IN)} (or name module:attribute)"
        )
    return _tolerant(tool) if use.on_error == "continue" else tool


def _tolerant(tool: BaseTool) -> BaseTool:
    """A copy whose errors become its result, which the model reads."""
    copy = tool.model_copy(update={"handle_tool_error": True, "handle_validation_error": True})
    for name in ("func", "coroutine"):
        function = getattr(tool, name, None)
        if function is not None:
            setattr(copy, name, _guarded_async(function) if name == "coroutine" else _guarded(function))
    return copy


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise ToolException(f"{type(error).__name__}: {error}") from error

    return guarded


def _guarded_async(function: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            raise ToolException(f"{type(error).__name__}: {error}") from error

    return guarded
