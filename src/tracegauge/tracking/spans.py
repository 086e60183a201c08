"""One span, from start to end. Nothing that goes wrong in tracing may reach the traced code."""

import logging
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from mlflow import start_span_no_context
from mlflow.entities import SpanEvent, SpanStatus, SpanStatusCode

from tracegauge.tracking.compat.active_span import attach_span, detach_span
from tracegauge.tracking.compat.langchain_autolog import autolog_span
from tracegauge.tracking.storable import storable_text, text_of

logger = logging.getLogger("tracegauge.tracking")


def start_span(
    name: str,
    span_type: str,
    inputs: Any = None,
    attributes: Mapping[str, Any] | None = None,
    parent: Any = None,
) -> Any:
    """Start a span under `parent`, or under the active span; a root span if there is neither.

    MLflow itself turns a failure into a no-op span.
    """
    return start_span_no_context(
        name,
        span_type,
        parent_span=autolog_span() if parent is None else parent,
        inputs=inputs,
        attributes=dict(attributes) if attributes else None,
    )


def end_span(span: Any, outputs: Any = None, error: BaseException | None = None) -> None:
    """End a span, with the exception that left it. What LangGraph raises to steer a graph is no error."""
    try:
        if outputs is not None:
            span.set_outputs(outputs)
        if error is None:
            span.end()
        elif _steers_the_graph(error):
            span.set_attribute("langgraph.control_flow", type(error).__name__)
            span.end()
        else:
            message = storable_text(text_of(error))
            span.add_event(_exception_event(error, message))
            span.end(status=SpanStatus(SpanStatusCode.ERROR, f"{type(error).__name__}: {message}"))
    except Exception:
        logger.debug("a span could not be ended", exc_info=True)


def _exception_event(error: BaseException, message: str) -> SpanEvent:
    """As MLflow makes it, also of an exception that can't say what it is."""
    attributes = {
        "exception.message": message,
        "exception.type": type(error).__name__,
        "exception.stacktrace": storable_text("".join(traceback.format_exception(error)).strip()),
    }
    return SpanEvent(name="exception", attributes=attributes)


def _steers_the_graph(error: BaseException) -> bool:
    """Interrupts and commands to a parent graph travel as exceptions; a closed generator only stopped early."""
    if isinstance(error, GeneratorExit):
        return True
    return any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)


class ActiveSpan:
    """`with ActiveSpan(...) as span:` a span that is the parent of those that start inside it."""

    __slots__ = ("_attributes", "_inputs", "_name", "_parent", "_span", "_token", "_type")

    def __init__(
        self,
        name: str,
        span_type: str,
        inputs: Any = None,
        attributes: Mapping[str, Any] | None = None,
        parent: Any = None,
    ) -> None:
        self._name = name
        self._type = span_type
        self._inputs = inputs
        self._attributes = attributes
        self._parent = parent

    def __enter__(self) -> Any:
        self._span = start_span(self._name, self._type, self._inputs, self._attributes, self._parent)
        self._token = attach_span(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        detach_span(self._token)
        end_span(self._span, error=error)
