"""Writes rows in bulk, and remembers a hash of what belongs to each entity so that it can be verified."""

from collections import defaultdict
from types import TracebackType

import sqlalchemy as sa

from tracegauge.stores.entities import Row
from tracegauge.stores.row_digests import RowDigests

_BATCH = 2_000
"""Rows kept before they are written: bounds memory, and is far beyond where larger batches stop paying."""


class RowWriter:
    """Collects rows and inserts them table by table; a context manager that writes the rest at its end."""

    def __init__(self, connection: sa.Connection, metadata: sa.MetaData, digests: RowDigests) -> None:
        self._connection = connection
        self._metadata = metadata
        self._digests = digests
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._waiting = 0

    def write(self, table: str, row: Row) -> None:
        """Take a row; all rows of a table must have the same columns."""
        self._digests.add(table, row)
        self._rows[table].append(row)
        self._waiting += 1
        if self._waiting >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        # In the order of foreign keys, for databases that enforce them.
        for table in self._metadata.sorted_tables:
            if rows := self._rows.pop(table.name, None):
                self._connection.execute(table.insert(), rows)
        self._waiting = 0

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
