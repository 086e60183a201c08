"""A workflow: a graph, what it is called, and inputs for it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.pregel import Pregel

from tracegauge.config.observability import ObservabilityConfig
from tracegauge.config.workflow import WorkflowFile
from tracegauge.workflows.async_only import is_async_only
from tracegauge.workflows.event_loop import run_in_thread_loop
from tracegauge.workflows.inputs import graph_inputs, state_inputs

Graph = Pregel[Any, Any, Any, Any]


@dataclass(frozen=True)
class Workflow:
    """A runnable LangGraph graph."""

    name: str
    """Short name, as in cell ids."""
    graph: Graph
    """The compiled graph."""
    inputs: tuple[Mapping[str, Any], ...]
    """At least one input that fits the graph's state."""
    observability: ObservabilityConfig = field(default_factory=ObservabilityConfig)
    """What the workflow file says of tracing; everything off for a graph of your own."""
    file: WorkflowFile | None = None
    """The workflow file, if it came from one."""
    is_async: bool = field(init=False)
    """Whether a node, a route or a tool has no synchronous implementation."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", is_async_only(self.graph))

    @property
    def node_names(self) -> tuple[str, ...]:
        """The graph's nodes, without those of graphs inside them."""
        return tuple(name for name in self.graph.nodes if name != "__start__")

    def fitting(self, values: Mapping[str, Any], source: str = "--input") -> Mapping[str, Any]:
        """An input of these values, read as the state's types and with its defaults filled in.

        Raises ConfigError, which names the field and the `source`, where they don't fit the state. Of the state of a
        graph of your own only the names of fields are checked.
        """
        if self.file is not None:
            return state_inputs(self.file.state, [values], source)[0]
        return graph_inputs(self.graph, [values], source)[0]

    def invoke(self, inputs: Mapping[str, Any], config: RunnableConfig | None = None) -> Any:
        """Run the graph once and return its output; a graph with async-only nodes is driven with `ainvoke`."""
        return self.invoke_graph(self.graph, inputs, config)

    def invoke_graph(self, graph: Graph, inputs: Mapping[str, Any], config: RunnableConfig | None = None) -> Any:
        """`invoke` for a graph made from this workflow's, such as one with wrapped nodes.

        Works in any thread whose event loop is not running. The graph's nodes see the caller's context variables. A
        graph with a checkpointer gets a new thread id for each invocation, unless the config has one.
        """
        if graph.checkpointer and "thread_id" not in (config or {}).get("configurable", {}):
            config = {
                **(config or {}),
                "configurable": {**(config or {}).get("configurable", {}), "thread_id": uuid.uuid4().hex},
            }
        if not self.is_async:
            return graph.invoke(dict(inputs), config)
        return run_in_thread_loop(graph.ainvoke(dict(inputs), config))
