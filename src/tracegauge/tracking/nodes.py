"""Manual spans for a LangGraph graph that is already compiled: its nodes are wrapped from outside, in a copy."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar, cast

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.pregel import Pregel
from mlflow import get_current_active_span

from tracegauge.tracking.langchain_spans import NODE, LangChainSpans
from tracegauge.tracking.spans import ActiveSpan, start_span
from tracegauge.tracking.streams import Outputs, astreaming, streaming

GraphT = TypeVar("GraphT", bound=Pregel)  # type: ignore[type-arg]


def wrap_graph(graph: GraphT, name: str | None, is_paused: Callable[[], bool]) -> GraphT:
    """A copy of a compiled graph that writes a span for each node it runs; the graph itself stays as it is.

    Where no span is active, an invocation of the copy is itself the root span, named `name` or after the graph.
    While `is_paused()`, the copy runs like the original.
    """
    return _with_spans(graph, _traced_class(type(graph), name, is_paused), is_paused)


def _with_spans(graph: GraphT, graph_class: type[GraphT], is_paused: Callable[[], bool]) -> GraphT:
    traced = copy.copy(graph)
    traced.__class__ = graph_class
    traced.nodes = {
        # __start__ only distributes the input.
        name: node if name == "__start__" else _with_span(name, node, is_paused)
        for name, node in graph.nodes.items()
    }
    return traced


def _with_span(name: str, node: Any, is_paused: Callable[[], bool]) -> Any:
    """A copy of a node that runs in a span, its outgoing conditional edges included."""
    inner_graph = node.bound if isinstance(node.bound, Pregel) else None
    traced = copy.copy(node)
    if inner_graph is not None:
        traced.bound = _with_spans(inner_graph, type(inner_graph), is_paused)
        traced.subgraphs = [traced.bound]
    traced.__dict__.pop("node", None)
    runnable = traced.node
    if runnable is not None:
        # `node` is a cached property: what lies in the instance's dictionary is what LangGraph runs.
        traced.__dict__["node"] = TracedNode(
            name,
            runnable,
            is_paused,
            span_type="CHAIN" if inner_graph is None else "AGENT",
            inner_graphs=inner_graph is None and bool(node.subgraphs),
        )
    return traced


class TracedNode(Runnable[Any, Any]):
    """Runs a node in a span, with its inputs and outputs."""

    def __init__(
        self, name: str, inner: Runnable[Any, Any], is_paused: Callable[[], bool], *, span_type: str, inner_graphs: bool
    ) -> None:
        self.name = name
        self._inner = inner
        self._is_paused = is_paused
        self._type = span_type
        self._inner_graphs = inner_graphs
        self._attributes = {NODE: name}

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run a synchronous node."""
        if self._is_paused():
            return self._inner.invoke(input, config, **kwargs)
        with ActiveSpan(self.name or "node", self._type, input, self._attributes) as span:
            listener = self._listen(span, config)
            try:
                output = self._inner.invoke(input, config, **kwargs)
            finally:
                if listener is not None:
                    listener.close()
            _set_outputs(span, output)
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run an asynchronous node."""
        if self._is_paused():
            return await self._inner.ainvoke(input, config, **kwargs)
        with ActiveSpan(self.name or "node", self._type, input, self._attributes) as span:
            listener = self._listen(span, config)
            try:
                output = await self._inner.ainvoke(input, config, **kwargs)
            finally:
                if listener is not None:
                    listener.close()
            _set_outputs(span, output)
        return output

    def _listen(self, span: Any, config: RunnableConfig | None) -> LangChainSpans | None:
        """Add a listener to the callbacks of this execution; LangGraph makes a manager of its own for each."""
        manager = (config or {}).get("callbacks")
        if config is None or not isinstance(manager, BaseCallbackManager) or not _is_recorded(span):
            return None
        for handler in manager.inheritable_handlers[:]:
            if isinstance(handler, LangChainSpans):  # of the node that this graph is nested in
                manager.remove_handler(handler)
        checkpoint_ns = (config.get("metadata") or {}).get("langgraph_checkpoint_ns")
        listener = LangChainSpans(span, checkpoint_ns, inner_graphs=self._inner_graphs)
        manager.add_handler(listener, inherit=True)
        return listener


def _is_recorded(span: Any) -> bool:
    return span.span_id is not None


def _set_outputs(span: Any, output: Any) -> None:
    if output is not None:
        span.set_outputs(output)


def _traced_class(graph_class: type[GraphT], name: str | None, is_paused: Callable[[], bool]) -> type[GraphT]:
    """A subclass whose invocations are spans where no span is active.

    A class for each copy, rather than attributes of it: Pregel passes all attributes to its constructor when it copies
    itself, as `with_config` does.
    """

    def is_plain() -> bool:
        return is_paused() or get_current_active_span() is not None

    def root_name(graph: Any) -> str:
        return name or graph.get_name()

    def start_root(graph: Any, inputs: Any) -> Any:
        return start_span(root_name(graph), "CHAIN", inputs)

    class Traced(graph_class):  # type: ignore[misc, valid-type]
        def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
            if is_plain():
                return super().invoke(input, config, **kwargs)
            with ActiveSpan(root_name(self), "CHAIN", input) as span:
                output = super().invoke(input, config, **kwargs)
                _set_outputs(span, output)
            return output

        async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
            if is_plain():
                return await super().ainvoke(input, config, **kwargs)
            with ActiveSpan(root_name(self), "CHAIN", input) as span:
                output = await super().ainvoke(input, config, **kwargs)
                _set_outputs(span, output)
            return output

        def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
            chunks: Any = super().stream(input, config, **kwargs)
            if is_plain():
                return chunks
            streamed = _streamed(kwargs.get("stream_mode"))
            return streaming(lambda _: chunks, lambda: start_root(self, input), streamed)()

        def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
            chunks: Any = super().astream(input, config, **kwargs)
            if is_plain():
                return chunks
            streamed = _streamed(kwargs.get("stream_mode"))
            return astreaming(lambda _: chunks, lambda: start_root(self, input), streamed)()

    Traced.__name__ = Traced.__qualname__ = graph_class.__name__
    Traced.__module__ = graph_class.__module__
    return cast(type[GraphT], Traced)


def _streamed(stream_mode: Any) -> Outputs:
    """What a stream came to: its last state, or all chunks where they are no states."""
    if stream_mode in (None, "values"):
        return lambda seen: seen[-1] if seen else None
    return lambda seen: seen
