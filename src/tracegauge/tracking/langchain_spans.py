"""Spans for the models, tools, retrievers and inner graphs that a node calls, by LangChain's callbacks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult
from mlflow import get_current_active_span
from mlflow.entities import SpanStatus, SpanStatusCode

from tracegauge.tracking.chat_messages import chat_request, chat_response, token_usage
from tracegauge.tracking.compat.active_span import attach_span, detach_span
from tracegauge.tracking.spans import end_span, start_span

TOKEN_USAGE = "mlflow.chat.tokenUsage"
MODEL = "mlflow.llm.model"
PROVIDER = "mlflow.llm.provider"
NODE = "langgraph_node"


class LangChainSpans(BaseCallbackHandler):
    """Listens to what happens inside one execution of one node.

    Runs inline, so that a span starts in the context of the code it is about, also in asynchronous graphs. Spans of
    tools and inner nodes become the active span there: whatever they call is their child.
    """

    run_inline = True

    def __init__(self, node_span: Any, checkpoint_ns: str | None, *, inner_graphs: bool) -> None:
        self._node_span = node_span
        self._checkpoint_ns = checkpoint_ns
        self._ignore_chain = not inner_graphs
        self._open: dict[UUID, tuple[Any, Any]] = {}

    @property
    def ignore_chain(self) -> bool:
        """Chains are of interest only where the node calls other graphs."""
        return self._ignore_chain

    def close(self) -> None:
        """End what code that was cancelled left open: an open span would keep MLflow from exporting the trace."""
        while self._open:
            span, token = self._open.popitem()[1]
            if token is not None:
                detach_span(token)
            end_span(span, error=TimeoutError("still running when its node ended"))

    def _start(
        self, run_id: UUID, name: str, span_type: str, inputs: Any, attributes: dict[str, Any] | None, active: bool
    ) -> Any:
        # Where user code lost the context, as in threads of its own, the node is the nearest known parent.
        current = get_current_active_span()
        parent = current if current is not None and current.trace_id == self._node_span.trace_id else self._node_span
        span = start_span(name, span_type, inputs, attributes, parent)
        self._open[run_id] = (span, attach_span(span) if active else None)

    def _end(self, run_id: UUID, outputs: Any = None, error: BaseException | None = None) -> None:
        opened = self._open.pop(run_id, None)
        if opened is None:
            return
        span, token = opened
        if token is not None:
            detach_span(token)
        end_span(span, outputs, error)

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Start the span of a chat model's call."""
        name = _name(serialized, kwargs, "chat model")
        self._start(run_id, name, "CHAT_MODEL", chat_request(messages), _model_attributes(kwargs), active=False)

    def on_llm_start(
        self, serialized: dict[str, Any] | None, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Start the span of a completion model's call."""
        name = _name(serialized, kwargs, "llm")
        self._start(run_id, name, "LLM", {"prompts": prompts}, _model_attributes(kwargs), active=False)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """End the span of a model's call, with its answer and its tokens."""
        opened = self._open.get(run_id)
        if opened is not None and (usage := token_usage(response)):
            opened[0].set_attribute(TOKEN_USAGE, usage)
        self._end(run_id, chat_response(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End the span of a model's call that failed."""
        self._end(run_id, error=error)

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Start the span of a tool's call."""
        name = _name(serialized, kwargs, "tool")
        self._start(run_id, name, "TOOL", input_str if inputs is None else inputs, None, active=True)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        """End the span of a tool's call. A tool may also return its error."""
        opened = self._open.get(run_id)
        if opened is not None and getattr(output, "status", None) == "error":
            opened[0].set_status(SpanStatus(SpanStatusCode.ERROR, str(getattr(output, "content", ""))))
        self._end(run_id, output)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End the span of a tool's call that failed."""
        self._end(run_id, error=error)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Start the span of a retrieval."""
        self._start(run_id, _name(serialized, kwargs, "retriever"), "RETRIEVER", query, None, active=True)

    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **_: Any) -> None:
        """End the span of a retrieval, with documents as MLflow shows them."""
        self._end(
            run_id,
            [{"page_content": document.page_content, "metadata": document.metadata} for document in documents],
        )

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End the span of a retrieval that failed."""
        self._end(run_id, error=error)

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,  # noqa: ARG002 (LangChain names it)
        inputs: Any,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **_: Any,
    ) -> None:
        """Start the span of a node of a graph that this node calls; other chains have none."""
        if metadata and name == metadata.get(NODE) and metadata.get("langgraph_checkpoint_ns") != self._checkpoint_ns:
            self._start(run_id, name or "node", "CHAIN", inputs, {NODE: name}, active=True)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        """End the span of an inner graph's node."""
        self._end(run_id, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End the span of an inner graph's node that failed."""
        self._end(run_id, error=error)


def _name(serialized: dict[str, Any] | None, kwargs: dict[str, Any], default: str) -> str:
    return kwargs.get("name") or (serialized or {}).get("name") or default


def _model_attributes(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Which model is called, as LangChain tells it. MLflow 3.9's own tracing does not record it."""
    metadata, params = kwargs.get("metadata") or {}, kwargs.get("invocation_params") or {}
    model = metadata.get("ls_model_name") or params.get("model") or params.get("model_name")
    provider = metadata.get("ls_provider") or params.get("_type")
    found = {MODEL: model, PROVIDER: provider, "invocation_params": params or None}
    return {key: value for key, value in found.items() if value is not None}
