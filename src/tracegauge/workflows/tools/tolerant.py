"""Tools whose errors don't end the workflow."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.tools import BaseTool, ToolException


def tolerant(tool: BaseTool) -> BaseTool:
    """A copy of the tool whose errors, also those about its arguments, become its result, which the model reads."""
    kind: Any = type(tool)

    class Tolerant(kind):  # type: ignore[misc]
        # LangChain looks at the parameters of these two, so they keep those of the original.
        @functools.wraps(kind._run)
        def _run(self, *args: Any, **kwargs: Any) -> Any:
            with _as_tool_exceptions():
                return kind._run(self, *args, **kwargs)

        @functools.wraps(kind._arun)
        async def _arun(self, *args: Any, **kwargs: Any) -> Any:
            with _as_tool_exceptions():
                return await kind._arun(self, *args, **kwargs)

    copy = tool.model_copy(update={"handle_tool_error": True, "handle_validation_error": True})
    copy.__class__ = Tolerant
    return copy


@contextmanager
def _as_tool_exceptions() -> Iterator[None]:
    """LangChain turns a ToolException into the tool's result, and nothing else."""
    try:
        yield
    except ToolException:
        raise
    except Exception as error:
        raise ToolException(f"{type(error).__name__}: {error}") from error
