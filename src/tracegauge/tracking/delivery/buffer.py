"""Parcels in memory: bounded, with back-pressure."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tracegauge.tracking.delivery.parcel import Parcel


@dataclass(frozen=True)
class Held:
    """A parcel in the buffer, until it is settled."""

    number: int
    """Counts up with every parcel put in."""
    parcel: Parcel
    size_bytes: int
    since: float
    """When it was put in, on the monotonic clock."""


class Buffer:
    """A queue whose parcels count against its limit until they are settled, so those being written count too."""

    def __init__(self, max_bytes: int, batch: int) -> None:
        """`batch`: how many parcels a taker wants at a time; it is not woken for fewer."""
        self._max_bytes = max_bytes
        self.batch = batch
        self._bytes = 0
        self._numbers = 0
        self._waiting: deque[Held] = deque()
        self._unsettled: dict[int, Held] = {}  # in the order of their numbers
        self._flushes = 0
        self._overflowing = False
        self._stopped = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Parcels that are not settled."""
        return len(self._unsettled)

    def put(self, parcel: Parcel, timeout_s: float) -> bool:
        """Take a parcel in; False where there was no room for it within the timeout, or the buffer has been stopped.

        After one wait in vain nobody waits any more until the buffer is half empty: an outage delays one invocation
        (of each thread), not all of them.
        """
        size = parcel.size_bytes
        with self._changed:
            if not self._has_room(size) and not self._overflowing:
                self._changed.wait_for(lambda: self._has_room(size) or self._overflowing or self._stopped, timeout_s)
            if self._stopped:
                return False
            if not self._has_room(size) or self._overflowing:
                self._overflowing = True
                self._changed.notify_all()
                return False
            self._numbers += 1
            held = Held(self._numbers, parcel, size, time.monotonic())
            self._unsettled[held.number] = held  # first: a signal handler may look on at any point
            self._bytes += size
            self._waiting.append(held)
            if len(self._waiting) == 1 or len(self._waiting) >= self.batch:
                self._changed.notify_all()
            return True

    def _has_room(self, size: int) -> bool:
        return self._bytes == 0 or self._bytes + size <= self._max_bytes

    def take(self, linger_s: float, timeout_s: float) -> Sequence[Held]:
        """Up to a batch of parcels, oldest first; they stay unsettled.

        Waits until there are that many, the oldest has waited for `linger_s`, somebody waits for a flush, or (then
        perhaps with none) `timeout_s` is over.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                now = time.monotonic()
                if self._stopped:
                    return ()
                if self._waiting:
                    ripe_at = self._waiting[0].since + linger_s
                    if len(self._waiting) >= self.batch or self._flushes or now >= ripe_at:
                        return [self._waiting.popleft() for _ in range(min(self.batch, len(self._waiting)))]
                    self._changed.wait(ripe_at - now)
                elif now >= deadline:
                    return ()
                else:
                    self._changed.wait(deadline - now)

    def rest(self, seconds: float) -> None:
        """Take a break, the shorter the fuller the buffer is, and none while somebody waits for a flush."""
        with self._changed:
            until = time.monotonic() + seconds * max(0.0, 1 - 2 * self._bytes / self._max_bytes)
            self._changed.wait_for(
                lambda: self._flushes or self._stopped or self._overflowing, until - time.monotonic()
            )

    def settle(self, settled: Sequence[Held]) -> None:
        """These are stored, spilled or lost: nothing more will happen to them."""
        with self._changed:
            for held in settled:
                if self._unsettled.pop(held.number, None):
                    self._bytes -= held.size_bytes
            if self._bytes <= self._max_bytes // 2:
                self._overflowing = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Have `take` return at once from now on, with nothing, and `put` take nothing in."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take_back(self) -> Sequence[Held]:
        """Everything that is not being written, without waiting for anything."""
        with self._changed:
            held = tuple(self._waiting)
            self._waiting.clear()
            return held

    def unsettled(self) -> Sequence[Held]:
        """What is in the buffer or being written."""
        with self._changed:
            return tuple(self._unsettled.values())

    def wait_settled(self, deadline: float | None) -> bool:
        """Wait until all parcels of now are settled; False where the deadline, on the monotonic clock, came first."""
        with self._changed:
            last = self._numbers
            self._flushes += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(
                    lambda: not self._unsettled or next(iter(self._unsettled)) > last,
                    None if deadline is None else max(0.0, deadline - time.monotonic()),
                )
            finally:
                self._flushes -= 1
