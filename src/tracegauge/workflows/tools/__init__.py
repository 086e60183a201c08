"""Tools that a node may call: two of ours, and any LangChain tool by `module:attribute`."""

from collections.abc import Callable

from langchain_core.tools import BaseTool
from pydantic import ValidationError, validate_call

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.workflow import ToolUse
from tracegauge.workflows.importing import import_attribute
from tracegauge.workflows.tools.calculator import make_calculator
from tracegauge.workflows.tools.document_search import make_document_search
from tracegauge.workflows.tools.tolerant import tolerant

BUILT_IN: dict[str, Callable[..., BaseTool]] = {
    "calculator": make_calculator,
    "document_search": make_document_search,
}


def make_tool(use: ToolUse) -> BaseTool:
    """The tool, with its settings. Raises ConfigError for a name that is none, and for settings it doesn't have.

    With `on_error: continue` the model is told of an error and goes on; with `fail` the error ends the workflow.
    """
    tool = _built_in(use) if use.name in BUILT_IN else _imported(use)
    return tolerant(tool) if use.on_error == "continue" else tool


def _built_in(use: ToolUse) -> BaseTool:
    try:
        return validate_call(BUILT_IN[use.name])(**use.config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            raise ConfigError(f"the tool {use.name!r} has no setting {setting!r}") from None
        raise ConfigError(f"the tool {use.name!r} can't have this {setting!r}: {first['msg']}") from None


def _imported(use: ToolUse) -> BaseTool:
    if ":" not in use.name:
        hint = f"{nearest(use.name, BUILT_IN)} (your own are named module:attribute)"
        raise ConfigError(f"unknown tool {use.name!r}", hint=hint)
    tool = import_attribute(use.name, "tool")
    if not isinstance(tool, BaseTool):
        hint = "decorate the function with LangChain's @tool"
        raise ConfigError(f"{use.name} is a {type(tool).__name__}, not a LangChain tool", hint=hint)
    if use.config:
        raise ConfigError(f"{use.name} is a tool of your own: `config` is for those of tracegauge")
    return tool
