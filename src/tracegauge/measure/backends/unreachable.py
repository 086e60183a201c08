"""A tracking server that is down in the worst way: it takes connections and never answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tracegauge.measure.backends.sqlite import SqliteBackend


class UnreachableBackend(SqliteBackend):
    """What is configured is a server that never answers; the store is the SQLite database that tracking falls back
    to."""

    @contextmanager
    def server(self) -> Iterator[str | None]:
        """Listen on a free port of this machine, and let every request wait."""
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
