"""What stands behind an exception."""

from collections.abc import Iterator
from typing import Any

import requests


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what caused it; urllib3 hides some causes in `reason` and in arguments."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]


def is_unreachable(error: BaseException) -> bool:
    """Whether a server could not be reached, or did not answer in time."""
    kinds = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)
    return any(isinstance(cause, kinds) for cause in causes(error))
