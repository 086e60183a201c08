"""Threads for what MLflow offers only as blocking calls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

_Result = TypeVar("_Result")
_MOST = 64


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST, thread_name_prefix="tracegauge-judge")


async def in_thread(function: Callable[[], _Result]) -> _Result:
    """Call a function in a thread. A caller that stops waiting leaves the thread to finish by itself."""
    return await asyncio.get_running_loop().run_in_executor(_executor(), copy_context().run, function)
