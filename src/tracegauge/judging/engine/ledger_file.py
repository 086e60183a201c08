"""Where the ledger of a store lies, and the lock that keeps it to one writer."""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from tracegauge.config.errors import ConfigError

ENDING = ".judge-ledger.db"


def ledger_path(tracking_uri: str, experiments: Sequence[str] = ()) -> Path:
    """Beside an SQLite store; for servers and other databases below `.tracegauge` in the current folder.

    `tracking_uri` is that of a database or server: see `usable_store`.
    """
    if tracking_uri.startswith("sqlite:"):
        database = make_url(tracking_uri).database
        return Path(str(database) + ENDING)
    parts = urlsplit(tracking_uri)
    host = parts.netloc.rpartition("@")[2] + (parts.path if not parts.scheme.startswith("http") else "")
    name = "_".join([host, *experiments])
    return Path(".tracegauge") / (re.sub(r"[^A-Za-z0-9_.-]+", "-", name) + ENDING)


@contextmanager
def only_writer(ledger: Path) -> Iterator[None]:
    """Keep other engines away from a ledger for as long as this one lives, however it ends.

    Raises ConfigError where another one is at work.
    """
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.with_name(ledger.name + ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ConfigError(
                f"another `judge run` or `judge watch` is at work on this store (process {lock.read().strip()})",
                hint="wait until it is done, or stop it",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
