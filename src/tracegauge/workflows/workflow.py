"""A workflow: a graph, what it is called, and inputs for it."""

import asyncio
import contextvars
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence
from langgraph.pregel import Pregel

from tracegauge.config.observability import ObservabilityConfig
from tracegauge.config.workflow import WorkflowFile


@dataclass(frozen=True)
class Workflow:
    """A runnable LangGraph graph."""

    name: str
    """Short name, as in cell ids."""
    graph: Pregel[Any, Any, Any, Any]
    """The compiled graph."""
    inputs: tuple[Mapping[str, Any], ...]
    """At least one input that fits the graph's state."""
    observability: ObservabilityConfig = ObservabilityConfig()
    """What the workflow file says of tracing; everything off for a graph of your own."""
    file: WorkflowFile | None = None
    """The workflow file, if it came from one."""
    is_async: bool = field(init=False)
    """Whether a node has no synchronous implementation."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", any(_is_async_only(node.bound) for node in self.graph.nodes.values()))

    @property
    def node_names(self) -> tuple[str, ...]:
        """The graph's nodes, without those of graphs inside them."""
        return tuple(name for name in self.graph.nodes if name != "__start__")

    def invoke(self, inputs: Mapping[str, Any], config: RunnableConfig | None = None) -> Any:
        """Run the graph once and return its output; a graph with async-only nodes is driven with `ainvoke`."""
        return self.invoke_graph(self.graph, inputs, config)

    def invoke_graph(
        self, graph: Pregel[Any, Any, Any, Any], inputs: Mapping[str, Any], config: RunnableConfig | None = None
    ) -> Any:
        """`invoke` for a graph made from this workflow's, such as one with wrapped nodes.

        Works in any thread that runs no event loop. Context variables are seen by the graph's nodes.
        """
        if not self.is_async:
            return graph.invoke(dict(inputs), config)
        return _runner().run(graph.ainvoke(dict(inputs), config), context=contextvars.copy_context())


_threads = threading.local()


def _runner() -> asyncio.Runner:
    """This thread's event loop: making one for each invocation would be measured along."""
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is None:
        runner = _threads.runner = asyncio.Runner()
    return runner


def _is_async_only(runnable: Runnable[Any, Any]) -> bool:
    return any(getattr(part, "afunc", None) is not None and getattr(part, "func", 0) is None for part in _parts(runnable))


def _parts(runnable: Any) -> Iterator[Any]:
    if isinstance(runnable, RunnableSequence) or hasattr(runnable, "steps"):
        for step in runnable.steps:
            yield from _parts(step)
    elif isinstance(runnable, Pregel):
        for node in runnable.nodes.values():
            yield from _parts(node.bound)
    else:
        yield runnable
