"""What a 2.9-era user wrote into each node by hand, put around the nodes of a compiled graph."""

import copy
from contextvars import ContextVar
from typing import Any, TypeVar

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.pregel import Pregel

from tracegauge.measure.instruments.legacy_tracker import LegacyTracker

GraphT = TypeVar("GraphT", bound=Pregel)  # type: ignore[type-arg]

active_tracker: ContextVar[LegacyTracker] = ContextVar("active_tracker")
"""The tracker of the workflow execution that a node belongs to."""


def with_node_runs(graph: GraphT) -> GraphT:
    """A copy of a compiled graph whose nodes run inside `track_node`."""
    tracked = copy.copy(graph)
    tracked.nodes = {name: _with_run(name, node) for name, node in graph.nodes.items()}
    return tracked


def _with_run(name: str, node: Any) -> Any:
    if name == "__start__" or node.node is None:
        return node
    tracked = copy.copy(node)
    # `node` is a cached property: what lies in the instance's dictionary is what LangGraph runs.
    tracked.__dict__["node"] = _TrackedNode(name, node.node)
    return tracked


class _TrackedNode(Runnable[Any, Any]):
    """Runs a node inside `track_node`, and logs its metrics at the end."""

    def __init__(self, name: str, inner: Runnable[Any, Any]) -> None:
        self.name = name
        self._inner = inner

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        with active_tracker.get().track_node(self.name or "node"):
            calls = _ModelCalls.listening_to(config)
            output = self._inner.invoke(input, config, **kwargs)
            calls.log()
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        with active_tracker.get().track_node(self.name or "node"):
            calls = _ModelCalls.listening_to(config)
            output = await self._inner.ainvoke(input, config, **kwargs)
            calls.log()
        return output


class _ModelCalls(BaseCallbackHandler):
    """The model calls of one node: their tokens, the last prompt and the last response."""

    run_inline = True

    def __init__(self) -> None:
        self.input_tokens = 0
        self.output_tokens = 0
        self.prompt = ""
        self.response = ""

    @classmethod
    def listening_to(cls, config: RunnableConfig | None) -> "_ModelCalls":
        calls = cls()
        manager = (config or {}).get("callbacks")
        if isinstance(manager, BaseCallbackManager):
            manager.add_handler(calls, inherit=True)
        return calls

    def on_chat_model_start(self, serialized: dict[str, Any], messages: list[list[Any]], **kwargs: Any) -> None:  # noqa: ARG002
        self.prompt = "\n".join(str(message.content) for message in messages[0])

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:  # noqa: ARG002
        message = getattr(response.generations[0][0], "message", None)
        if isinstance(message, AIMessage):
            usage = message.usage_metadata
            self.input_tokens += usage["input_tokens"] if usage else 0
            self.output_tokens += usage["output_tokens"] if usage else 0
            self.response = str(message.content)

    def log(self) -> None:
        active_tracker.get().log_node_metrics(self.input_tokens, self.output_tokens, self.prompt, self.response)
