"""Spans around streams: active while the producer works, not while the consumer does."""

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

from tracegauge.tracking.compat.active_span import attach_span, detach_span
from tracegauge.tracking.spans import end_span

T = TypeVar("T")
StartSpan = Callable[[], Any]
Outputs = Callable[[list[Any]], Any]
"""What goes into the span as its outputs, given all chunks."""


def stream_in_span(
    produce: Callable[[Any], Generator[T, Any, Any]], start: StartSpan, outputs: Outputs = list
) -> Generator[T, Any, None]:
    """Pass on what `produce(span)` yields; the span ends when that ends, fails, or is closed early."""
    span = start()
    chunks = produce(span)
    seen: list[T] = []
    try:
        while True:
            token = attach_span(span)
            try:
                chunk = next(chunks)
            except StopIteration:
                break
            finally:
                detach_span(token)
            seen.append(chunk)
            yield chunk
    except BaseException as error:
        end_span(span, outputs(seen), error)
        raise
    else:
        end_span(span, outputs(seen))
    finally:
        chunks.close()


async def astream_in_span(
    produce: Callable[[Any], AsyncGenerator[T, Any]], start: StartSpan, outputs: Outputs = list
) -> AsyncGenerator[T, None]:
    """`stream_in_span` for asynchronous streams."""
    span = start()
    chunks = produce(span)
    seen: list[T] = []
    try:
        while True:
            token = attach_span(span)
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            finally:
                detach_span(token)
            seen.append(chunk)
            yield chunk
    except BaseException as error:
        end_span(span, outputs(seen), error)
        raise
    else:
        end_span(span, outputs(seen))
    finally:
        await chunks.aclose()
