"""Makes values fit the columns of databases that are stricter than SQLite."""

import sqlalchemy as sa

from tracegauge.stores.entities import Row
from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings

_PATHS = frozenset({"artifact_uri", "artifact_location", "source", "storage_location"})


def fit_row(table: sa.Table, row: Row, dialect: str, findings: Findings) -> Row:
    """The row with texts that the database can keep; what had to change is a finding.

    SQLite keeps any text. Others refuse one that is longer than its column, and PostgreSQL a zero character. Raises
    StoreError for a path that does not fit: cut short it would lead elsewhere.
    """
    if dialect == "sqlite":
        return row
    return {name: _fit(table.c[name], value, findings) for name, value in row.items()}


def _fit(column: "sa.Column[object]", value: object, findings: Findings) -> object:
    if not isinstance(value, str):
        return value
    where = f"{column.table.name}.{column.name}"
    if "\0" in value:
        findings.changed("text", where, "it holds zero characters, which are written as \\x00")
        value = value.replace("\0", "\\x00")
    limit = getattr(column.type, "length", None)
    if limit is not None and len(value) > limit:
        if column.name in _PATHS:
            raise StoreError(
                f"{value} is longer than the {limit} characters that {where} takes; use a shorter --artifact-root"
            )
        findings.changed("text", where, f"cut to the {limit} characters that the column takes: {value[:60]!r}…")
        value = value[:limit]
    return value
