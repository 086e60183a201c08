"""Spans around streams: active while the producer works, not while the consumer does."""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from typing import Any, TypeVar

from tracegauge.tracking.compat.active_span import attach_span, detach_span
from tracegauge.tracking.spans import end_span

logger = logging.getLogger("tracegauge.tracking")

T = TypeVar("T")
StartSpan = Callable[..., Any]
"""Starts the span of a call, given its arguments."""
Outputs = Callable[[list[Any]], Any]
"""What goes into the span as its outputs, given all chunks."""


def streaming(
    produce: Callable[..., Iterable[T]], start: StartSpan, outputs: Outputs = list
) -> Callable[..., Generator[T, Any, Any]]:
    """A generator function that passes on what `produce(span, *args, **kwargs)` yields and returns.

    What is sent or thrown into it goes to the producer. The span ends when that ends, fails, or is closed early.
    """

    def stream(*args: Any, **kwargs: Any) -> Generator[T, Any, Any]:
        span = start(*args, **kwargs)
        produced = produce(span, *args, **kwargs)
        chunks = produced if isinstance(produced, Generator) else (chunk for chunk in produced)
        seen: list[T] = []
        resume: Callable[[Any], T] = chunks.send
        value: Any = None
        try:
            while True:
                token = attach_span(span)
                try:
                    chunk = resume(value)
                except StopIteration as stop:
                    end_span(span, _outputs_of(seen, outputs))
                    return stop.value
                finally:
                    detach_span(token)
                seen.append(chunk)
                try:
                    resume, value = chunks.send, (yield chunk)
                except GeneratorExit:
                    chunks.close()
                    raise
                except BaseException as error:
                    resume, value = chunks.throw, error
        except BaseException as error:
            end_span(span, _outputs_of(seen, outputs), error)
            raise

    return stream


def astreaming(
    produce: Callable[..., AsyncIterable[T]], start: StartSpan, outputs: Outputs = list
) -> Callable[..., AsyncGenerator[T, Any]]:
    """`streaming` for asynchronous generators."""

    async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[T, Any]:
        span = start(*args, **kwargs)
        produced = produce(span, *args, **kwargs)
        chunks = produced if isinstance(produced, AsyncGenerator) else (chunk async for chunk in produced)
        seen: list[T] = []
        resume: Callable[[Any], Any] = chunks.asend
        value: Any = None
        try:
            while True:
                token = attach_span(span)
                try:
                    chunk = await resume(value)
                except StopAsyncIteration:
                    end_span(span, _outputs_of(seen, outputs))
                    return
                finally:
                    detach_span(token)
                seen.append(chunk)
                try:
                    resume, value = chunks.asend, (yield chunk)
                except GeneratorExit:
                    await chunks.aclose()
                    raise
                except BaseException as error:
                    resume, value = chunks.athrow, error
        except BaseException as error:
            end_span(span, _outputs_of(seen, outputs), error)
            raise

    return stream


def _outputs_of(seen: list[Any], outputs: Outputs) -> Any:
    try:
        return outputs(seen)
    except Exception:
        logger.debug("a stream's outputs could not be put together", exc_info=True)
        return seen
