"""A LangGraph graph behind MLflow's ResponsesAgent interface, as `mlflow.pyfunc` serves it."""

import asyncio
import inspect
import json
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import mlflow
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.pregel import Pregel
from mlflow.pyfunc import ResponsesAgent
from mlflow.types.responses import (
    ResponsesAgentRequest,
    ResponsesAgentResponse,
    ResponsesAgentStreamEvent,
    create_function_call_item,
    create_function_call_output_item,
    create_text_delta,
    create_text_output_item,
    responses_agent_output_reducer,
    to_chat_completions_input,
)

from tracegauge.tracking.summary import TIME_TO_FIRST_TOKEN

if TYPE_CHECKING:
    from tracegauge.tracking.tracker import MLFlowTracker

ToState = Callable[[ResponsesAgentRequest], Any]
"""Makes the graph's input of a request."""


def messages_state(request: ResponsesAgentRequest) -> dict[str, Any]:
    """The input of a graph with a `messages` state: the conversation, as chat messages."""
    return {"messages": to_chat_completions_input([item.model_dump() for item in request.input])}


class _Predict:
    """Apart from ResponsesAgent, which would trace methods of its subclasses by itself, also for a disabled tracker."""

    tracker: "MLFlowTracker"
    graph: Any
    to_state: ToState

    def predict(self, request: ResponsesAgentRequest | dict[str, Any]) -> ResponsesAgentResponse:
        """Run the graph; everything it said, tool calls and their results included."""
        request = _checked(request)
        with self.tracker.span("predict", "AGENT", request.model_dump(exclude_none=True)) as span:
            response = ResponsesAgentResponse(
                output=[event.item for event in self._events(request, span) if event.type.endswith("output_item.done")]
            )
            span.set_outputs(response.model_dump(exclude_none=True))
        return response

    def predict_stream(
        self, request: ResponsesAgentRequest | dict[str, Any]
    ) -> Generator[ResponsesAgentStreamEvent, None, None]:
        """Run the graph; text as the model writes it, then each finished message, tool call and result.

        The time to the first piece of text is recorded with the trace, in milliseconds.
        """
        request = _checked(request)
        return self.tracker.stream(
            "predict_stream",
            lambda span: self._events(request, span),
            span_type="AGENT",
            inputs=request.model_dump(exclude_none=True),
            outputs=responses_agent_output_reducer,
        )

    def _events(self, request: ResponsesAgentRequest, span: Any) -> Generator[ResponsesAgentStreamEvent, None, None]:
        started_ns = time.monotonic_ns()
        _name_conversation(request, span)
        first = True
        for event in _responses_events(self.graph, self.to_state(request), _config(self.graph, request)):
            if first and event.type == "response.output_text.delta":
                first = False
                _record_first_token(span, (time.monotonic_ns() - started_ns) / 1e6)
            yield event


class GraphResponsesAgent(_Predict, ResponsesAgent):  # type: ignore[misc]
    """A graph as a ResponsesAgent. Make one with `tracker.responses_agent(graph)`.

    A graph whose nodes are all asynchronous is run in an event loop of its own: call it from a thread that has none.
    """

    def __init__(self, tracker: "MLFlowTracker", graph: Pregel, to_state: ToState = messages_state) -> None:  # type: ignore[type-arg]
        self.tracker = tracker
        self.graph = graph
        self.to_state = to_state


def _checked(request: ResponsesAgentRequest | dict[str, Any]) -> ResponsesAgentRequest:
    return request if isinstance(request, ResponsesAgentRequest) else ResponsesAgentRequest(**request)


def _record_first_token(span: Any, elapsed_ms: float) -> None:
    span.set_attribute(TIME_TO_FIRST_TOKEN, elapsed_ms)
    if span.span_id is not None:
        mlflow.update_current_trace(metadata={f"tracegauge.{TIME_TO_FIRST_TOKEN}": f"{elapsed_ms:.3f}"})


def _name_conversation(request: ResponsesAgentRequest, span: Any) -> None:
    """Let MLflow's UI group traces by conversation and user."""
    context = request.context
    if context is None or span.span_id is None:
        return
    found = {"mlflow.trace.session": context.conversation_id, "mlflow.trace.user": context.user_id}
    if metadata := {key: value for key, value in found.items() if value}:
        mlflow.update_current_trace(metadata=metadata)


def _config(graph: Any, request: ResponsesAgentRequest) -> dict[str, Any]:
    """A graph with a memory remembers by conversation."""
    conversation_id = request.context.conversation_id if request.context else None
    if not getattr(graph, "checkpointer", None) or not conversation_id:
        return {}
    return {"configurable": {"thread_id": conversation_id}}


def _responses_events(graph: Any, state: Any, config: dict[str, Any]) -> Iterator[ResponsesAgentStreamEvent]:
    """Text as it is written; each new message of the state when a step of the graph has finished."""
    asked = len(state["messages"]) if isinstance(state, dict) and "messages" in state else 0
    told: int | None = None
    for mode, chunk in _stream(graph, state, config):
        if mode == "messages":
            message = chunk[0]
            if isinstance(message, AIMessage) and (text := str(message.text)):
                yield ResponsesAgentStreamEvent(**create_text_delta(text, item_id=message.id or "message"))
            continue
        messages = _messages(chunk)
        if told is None:  # the first state is the input, after what a graph with a memory remembers
            told = max(asked, len(messages))
        for message in messages[told:]:
            yield from _finished(message)
        told = max(told, len(messages))


def _messages(state: Any) -> list[BaseMessage]:
    found = state.get("messages") if isinstance(state, dict) else getattr(state, "messages", None)
    return [message for message in found or [] if isinstance(message, BaseMessage)]


def _finished(message: BaseMessage) -> Iterator[ResponsesAgentStreamEvent]:
    """The output items of a message of the model or of a tool."""
    items: list[dict[str, Any]] = []
    if isinstance(message, AIMessage):
        identifier = message.id or str(uuid4())
        if text := str(message.text):
            items.append(create_text_output_item(text, identifier))
        items += [
            create_function_call_item(identifier, call["id"] or identifier, call["name"], json.dumps(call["args"]))
            for call in message.tool_calls
        ]
    elif isinstance(message, ToolMessage):
        items.append(create_function_call_output_item(message.tool_call_id, str(message.text)))
    for item in items:
        yield ResponsesAgentStreamEvent(type="response.output_item.done", item=item)


def _stream(graph: Any, state: Any, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    modes = ["messages", "values"]
    if not _is_asynchronous(graph):
        yield from graph.stream(state, config, stream_mode=modes)
        return
    loop = asyncio.new_event_loop()
    chunks = graph.astream(state, config, stream_mode=modes)
    try:
        while True:
            try:
                yield loop.run_until_complete(anext(chunks))
            except StopAsyncIteration:
                break
    finally:
        loop.run_until_complete(chunks.aclose())
        loop.close()


def _is_asynchronous(graph: Any) -> bool:
    """Whether a node can be run asynchronously only."""
    return any(
        getattr(node.bound, "func", node) is None and inspect.iscoroutinefunction(getattr(node.bound, "afunc", None))
        for node in graph.nodes.values()
    )
