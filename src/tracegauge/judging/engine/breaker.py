"""A judge whose endpoint fails again and again is left alone for a while."""

from typing import Final

from tracegauge.results.judgement import Failed

ENDPOINTS_FAULT: Final = frozenset({"unreachable", "rate_limited", "server_error", "timed_out", "refused"})
"""Kinds of failure that say something of the endpoint, not of the content."""


class Breaker:
    """Opens after failures in a row; then one judgement at a time is tried after pauses that double."""

    def __init__(self, failures: int, first_wait_s: float, longest_wait_s: float) -> None:
        self._failures, self._first_wait_s, self._longest_wait_s = failures, first_wait_s, longest_wait_s
        self._in_a_row = 0
        self.pauses = 0
        """In a row, without a success between them."""
        self.last: Failed | None = None
        """The latest failure that counted."""

    @property
    def broken(self) -> bool:
        """Whether the judge is to be left alone now, but for a trial after a pause."""
        return self._in_a_row >= self._failures

    def note(self, failure: Failed | None) -> None:
        """Count an attempt; None for one that the endpoint answered."""
        if failure is None or failure.kind not in ENDPOINTS_FAULT:
            self._in_a_row = self.pauses = 0
        else:
            self._in_a_row += 1
            self.last = failure

    def next_pause_s(self) -> float:
        """The pause before the next trial."""
        self.pauses += 1
        return min(self._longest_wait_s, self._first_wait_s * 2.0 ** (self.pauses - 1))
