"""Whether a graph can be run with `invoke`, or has parts that only `ainvoke` can run."""

from collections.abc import Iterator
from typing import Any

from langchain_core.runnables import RunnableSequence
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel


def is_async_only(graph: Pregel[Any, Any, Any, Any]) -> bool:
    """Whether a node, a route or a tool, also of a graph inside a node, has no synchronous implementation."""
    return any(_needs_async(part) for part in _parts(graph))


def _parts(runnable: Any) -> Iterator[Any]:
    if isinstance(runnable, Pregel):
        for node in runnable.nodes.values():
            yield from _parts(node.bound)
        builder = getattr(runnable, "builder", None)
        for branches in getattr(builder, "branches", {}).values():
            yield from (branch.path for branch in branches.values())
    elif isinstance(runnable, ToolNode):
        yield from runnable.tools_by_name.values()
    elif isinstance(runnable, RunnableSequence) or hasattr(runnable, "steps"):
        for step in runnable.steps:
            yield from _parts(step)
    else:
        yield runnable


def _needs_async(part: Any) -> bool:
    if isinstance(part, (StructuredTool, Tool)):
        return part.func is None
    if isinstance(part, BaseTool):
        return False  # a class of its own must have a synchronous `_run`
    # LangGraph's and LangChain's wrappers of functions have both as attributes, or only the one that there is.
    return getattr(part, "afunc", None) is not None and getattr(part, "func", None) is None
