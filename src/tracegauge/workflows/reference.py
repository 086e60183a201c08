"""Counting calls without any tracer: the yardstick for what a tracer should have stored."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from tracegauge.workflows.workflow import Workflow

_NODE_TAG = "graph:step:"
_HIDDEN_TAG = "langsmith:hidden"


@dataclass(frozen=True)
class CallCounts:
    """How often one invocation called nodes, models and tools, those of graphs inside nodes included."""

    by_node: Mapping[str, int]
    """Executions by the node's name."""
    llm_calls: int
    tool_calls: int

    @property
    def node_calls(self) -> int:
        """Executions of nodes."""
        return sum(self.by_node.values())


def count_calls(workflow: Workflow, inputs: Mapping[str, Any]) -> CallCounts:
    """Run the workflow once and count, through LangChain's own callbacks."""
    counter = _Counter()
    workflow.invoke(inputs, {"callbacks": [counter]})
    return CallCounts(dict(counter.nodes), counter.llm_calls, counter.tool_calls)


def node_of(tags: list[str] | None, metadata: Mapping[str, Any] | None) -> str | None:
    """The name of the node that starts, from what LangGraph tells a callback; None for anything else that starts.

    LangGraph tags what a node runs with `graph:step:N`; steps inside a node carry no such tag.
    """
    tags = tags or []
    if not metadata or _HIDDEN_TAG in tags or not any(tag.startswith(_NODE_TAG) for tag in tags):
        return None
    name: str = metadata["langgraph_node"]
    return name


class _Counter(BaseCallbackHandler):
    """Counts; nodes that run at the same time call it from several threads."""

    run_inline = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.nodes: Counter[str] = Counter()
        self.llm_calls = 0
        self.tool_calls = 0

    def on_chain_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        inputs: dict[str, Any],  # noqa: ARG002
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Count a node."""
        node = node_of(tags, metadata)
        if node:
            with self._lock:
                self.nodes[node] += 1

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Count a model call."""
        with self._lock:
            self.llm_calls += 1

    def on_llm_start(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Count a call of a model that takes plain text."""
        with self._lock:
            self.llm_calls += 1

    def on_tool_start(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Count a tool call."""
        with self._lock:
            self.tool_calls += 1
