"""Tries again, with pauses that grow, what a store can't do now but may do later."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa
from mlflow.exceptions import MlflowException

from tracegauge.stores.errors import StoreError
from tracegauge.tracking.causes import is_unreachable
from tracegauge.tracking.server_check import without_password

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server, or of something before it, after which it may still take the same request later."""

_T = TypeVar("_T")


@dataclass
class Patience:
    """How long to try again."""

    give_up_after_s: float | None
    """Seconds since the last success; None: never."""
    on_pause: Callable[[str, float], None] = field(default=lambda _reason, _seconds: None)
    """Called before a pause with the reason and its length in seconds."""

    def __call__(self, call: Callable[[], _T]) -> _T:
        """Call until it succeeds. It must be safe to call again after it failed half-way.

        Raises StoreError when patience has run out, and at once whatever will not get better.
        """
        started = time.monotonic()
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return call()
            except Exception as error:
                if not is_transient(error):
                    raise
                reason = without_password(" ".join(str(error).split()))[:300]
                waited = time.monotonic() - started
                if self.give_up_after_s is not None and waited + pause_s > self.give_up_after_s:
                    raise StoreError(f"given up after {waited:.0f} s: {reason}") from error
            # Jitter, so that many clients of a server that comes back don't all come at once.
            wait_s = pause_s * random.uniform(0.75, 1.25)
            self.on_pause(reason, wait_s)
            time.sleep(wait_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: the store can't be reached, is overloaded, locked or broken for now."""
    if is_unreachable(error) or isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, MlflowException):
        return error.error_code == "TEMPORARILY_UNAVAILABLE" or error.get_http_status_code() in TRANSIENT_STATUS
    return isinstance(error, sa.exc.OperationalError)
