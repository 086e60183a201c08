"""Keeps a process from being forked in the middle of work on a database."""

import os
import threading

FORK_WAIT_S = 5.0
"""How long a fork waits for work that is under way, at most."""


class ForkGuard:
    """A lock to hold while a background thread works on a database; forks wait for it.

    SQLite notes its locks in memory. A child that is forked in the middle of a transaction gets a copy of the note but
    not the thread that would end the transaction, and takes the database to be locked for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held_for_fork = False
        os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _before(self) -> None:
        self._held_for_fork = self._lock.acquire(timeout=FORK_WAIT_S)

    def _in_parent(self) -> None:
        if self._held_for_fork:
            self._lock.release()

    def _in_child(self) -> None:
        self._lock = threading.Lock()


not_while_forking = ForkGuard()
"""The one for all couriers of this process."""
