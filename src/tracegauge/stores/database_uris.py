"""Artifact URIs in a database: which lead nowhere because the files were moved, and where to instead."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tracegauge.stores.locations import has_dot_host, local_path
from tracegauge.stores.spans import ARTIFACT_LOCATION_TAG

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
)
"""(table, column) that hold artifact URIs; of trace tags only those of one key."""


@dataclass(frozen=True)
class StoredUri:
    """One artifact URI, and where it stands."""

    table: str
    column: str
    key: tuple[Any, ...]
    """The row's primary key."""
    uri: str


@dataclass(frozen=True)
class Move:
    """A folder that files were moved from, and where they are now."""

    old: Path
    new: Path

    def follow(self, uri: str) -> str | None:
        """The URI as it should be, or None if it does not lead into the old folder."""
        path = local_path(uri)
        if path is None or not path.is_relative_to(self.old):
            return None
        return (self.new / path.relative_to(self.old)).as_uri()


def stored_uris(connection: sa.Connection, metadata: sa.MetaData) -> Iterator[StoredUri]:
    """All artifact URIs of a database, of any MLflow version from 2.x on."""
    for table_name, column in _COLUMNS:
        table = metadata.tables.get(table_name)
        if table is None or column not in table.c:
            continue
        keys = list(table.primary_key.columns)
        query = sa.select(*keys, table.c[column].label("uri_")).where(table.c[column].is_not(None))
        if table_name == "trace_tags":
            query = query.where(table.c.key == ARTIFACT_LOCATION_TAG)
        for row in connection.execute(query):
            yield StoredUri(table_name, column, tuple(row[:-1]), row[-1])


def find_moves(uris: Iterable[StoredUri], roots: Iterable[Path]) -> list[Move]:
    """Where folders that URIs lead to, and that are gone, are now: below one of some roots under the same name.

    A URI without a folder alone proves nothing: MLflow makes it when the first artifact is logged. So the folder that
    all of them were in must be gone; while it stands, a folder of the same name elsewhere is another store's.
    """
    moves: Counter[Move] = Counter()
    for uri in uris:
        path = local_path(uri.uri)
        if path is None or path.exists():
            continue
        for root in roots:
            if move := _move_to(path, root):
                moves[move] += 1
                break
    return [move for move, _ in moves.most_common()]


def _move_to(path: Path, root: Path) -> Move | None:
    """How `path` was moved below `root`, if its last parts, two at least, are there: `<experiment>/<run>/artifacts`."""
    for length in range(min(4, len(path.parts) - 1), 1, -1):
        tail = Path(*path.parts[-length:])
        move = Move(Path(*path.parts[:-length]), root)
        if (root / tail).exists() and not move.old.exists():
            return move
    return None


def leads_nowhere(uri: StoredUri) -> bool:
    """Whether a URI is local and there is nothing at the path that MLflow makes of it."""
    path = local_path(uri.uri)
    return path is not None and not path.exists()


def is_trap(uri: StoredUri) -> bool:
    """Whether a URI looks relative but means a path below `/`: `file://./mlruns/…`."""
    return has_dot_host(uri.uri)


def rewrite_moved(connection: sa.Connection, metadata: sa.MetaData, moves: list[Move]) -> int:
    """Rewrite all URIs that lead into folders that were moved; returns how many."""
    rewritten = 0
    for stored in list(stored_uris(connection, metadata)):
        new = next((uri for move in moves if (uri := move.follow(stored.uri))), None)
        if new is None or not leads_nowhere(stored):
            continue
        table = metadata.tables[stored.table]
        keys = zip(table.primary_key.columns, stored.key, strict=True)
        connection.execute(
            table.update().where(*(column == value for column, value in keys)).values({stored.column: new})
        )
        rewritten += 1
    return rewritten
