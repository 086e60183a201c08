"""How far a run has come, over all of its judges."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Called with how many traces are settled, and how many were due so far as is known."""


class Tally:
    """Counts what is due and what became of it, and tells."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._settled = self._due = 0

    def expect(self, due: int) -> None:
        """So many more are due."""
        self._due += due
        self._on_progress(self._settled, self._due)

    def settle(self) -> None:
        """One more is scored, has failed or was skipped."""
        self._settled += 1
        self._on_progress(self._settled, self._due)
