"""`@tracker.trace(...)`: a span for each call of a function."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from tracegauge.tracking.spans import ActiveSpan, start_span
from tracegauge.tracking.streams import astreaming, streaming


def trace_function(
    function: Any, name: str | None, span_type: str, attributes: Mapping[str, Any], activate: Callable[[], Any]
) -> Any:
    """Wrap a function, coroutine function, generator or asynchronous generator; class and static methods too.

    `activate` is called before each span: it sets up MLflow if that has not happened yet.
    """
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(trace_function(function.__func__, name, span_type, attributes, activate))
    span_name: str = name or str(getattr(function, "__name__", "function"))
    inputs_of = _input_reader(function)

    def span_for(args: Any, kwargs: Any) -> ActiveSpan:
        activate()
        return ActiveSpan(span_name, span_type, inputs_of(args, kwargs), attributes)

    def start_for(*args: Any, **kwargs: Any) -> Any:
        activate()
        return start_span(span_name, span_type, inputs_of(args, kwargs), attributes)

    def produce(_: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    if inspect.isasyncgenfunction(function):
        return functools.wraps(function)(astreaming(produce, start_for))
    if inspect.isgeneratorfunction(function):
        return functools.wraps(function)(streaming(produce, start_for))
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with span_for(args, kwargs) as span:
                result = await function(*args, **kwargs)
                if result is not None:
                    span.set_outputs(result)
            return result

        return coroutine

    @functools.wraps(function)
    def synchronous(*args: Any, **kwargs: Any) -> Any:
        with span_for(args, kwargs) as span:
            result = function(*args, **kwargs)
            if result is not None:
                span.set_outputs(result)
        return result

    return synchronous


def _input_reader(function: Any) -> Callable[[Any, Any], dict[str, Any]]:
    """A function that names the arguments of a call, without `self` or `cls`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-ins have none
        return lambda args, kwargs: {"args": list(args), **kwargs}

    def read(args: Any, kwargs: Any) -> dict[str, Any]:
        try:
            arguments = dict(signature.bind_partial(*args, **kwargs).arguments)
        except TypeError:  # the call itself will say what is wrong
            return {"args": list(args), **kwargs}
        first = next(iter(arguments), None)
        if first in ("self", "cls"):
            del arguments[first]
        return arguments

    return read
