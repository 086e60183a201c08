"""One event loop per thread, kept for the thread's next coroutine: making one each time would be measured along."""

import asyncio
import contextvars
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_threads = threading.local()


def run_in_thread_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in this thread's event loop; it sees the caller's context variables.

    Raises RuntimeError in a thread whose event loop is running already, such as a notebook's.
    """
    if _is_running():
        coroutine.close()
        raise RuntimeError("an asynchronous graph can't be invoked in a running event loop: await its graph.ainvoke(…)")
    return _runner().run(coroutine, context=contextvars.copy_context())


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _runner() -> asyncio.Runner:
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is None:
        runner = _threads.runner = asyncio.Runner()
        weakref.finalize(threading.current_thread(), runner.get_loop().close)
    return runner
