"""SQLite database files as a whole."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tracegauge.stores.errors import StoreError


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database, what is in its write-ahead log included, and check the copy. The source is only read.

    Raises StoreError.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            reader.backup(writer)
            (verdict,) = writer.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{source} could not be copied to {target}: {error}") from error
    if verdict != "ok":
        target.unlink()
        raise StoreError(f"{source} is damaged: {verdict}")


def replace_content(database: Path, new: Path) -> None:
    """Replace all that an SQLite database holds by what another holds, in one transaction.

    The file stays the same one: a server that has it open would otherwise go on with a file that has no name any more.
    Raises StoreError, for example while another process is writing to it.
    """
    try:
        with closing(sqlite3.connect(new)) as reader, closing(sqlite3.connect(database, timeout=10)) as writer:
            reader.backup(writer)
    except sqlite3.Error as error:
        raise StoreError(f"{database} could not be written: {error}; is a server writing to it?") from error


@contextmanager
def watch_writes(database: Path) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether anybody has committed to an SQLite database since the start."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        yield lambda: connection.execute("PRAGMA data_version").fetchone() != before
