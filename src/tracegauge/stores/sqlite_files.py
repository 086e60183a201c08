"""SQLite database files as a whole."""

import sqlite3
from contextlib import closing
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


def drop_write_ahead_log(database: Path) -> None:
    """Bring a write-ahead log back into its database, so that the file can be replaced by another.

    Raises StoreError if another process is writing to it now.
    """
    try:
        with closing(sqlite3.connect(database, timeout=5)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite3.Error as error:
        raise StoreError(f"{database} is in use: {error}; stop the server that writes to it and try again") from error
