"""What became of parcels that did not go the usual way: counted, and told once."""

import logging
import threading

logger = logging.getLogger("tracegauge.tracking")


class Tally:
    """Counts of parcels, from any thread. The first of each kind of trouble is logged, the rest only counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self.diverted = 0
        self.dropped = 0

    def divert(self, count: int, reason: str) -> None:
        """The fallback store has taken them."""
        with self._lock:
            self.diverted += count
        self.tell("divert", reason)

    def drop(self, count: int, reason: str) -> None:
        """They are lost."""
        with self._lock:
            self.dropped += count
        self.tell("drop", reason, logging.ERROR)

    def tell(self, kind: str, message: str, level: int = logging.WARNING) -> None:
        """Log the message unless one of this kind was logged before."""
        with self._lock:
            if kind in self._told:
                return
            self._told.add(kind)
        logger.log(level, message)
