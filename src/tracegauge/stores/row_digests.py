"""Tells whether two sets of rows are the same, entity by entity, without keeping them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

OWNERS = {
    "experiments": "experiment_id",
    "experiment_tags": "experiment_id",
    "runs": "run_uuid",
    "params": "run_uuid",
    "tags": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "datasets": "dataset_uuid",
    "inputs": "input_uuid",
    "input_tags": "input_uuid",
    "logged_models": "model_id",
    "logged_model_params": "model_id",
    "logged_model_tags": "model_id",
    "logged_model_metrics": "model_id",
    "trace_info": "request_id",
    "trace_tags": "request_id",
    "trace_request_metadata": "request_id",
    "trace_metrics": "request_id",
    "assessments": "trace_id",
    "spans": "trace_id",
    "registered_models": "name",
    "registered_model_tags": "name",
    "registered_model_aliases": "name",
    "model_versions": "name",
    "model_version_tags": "name",
}
"""Table → the column that tells which entity a row belongs to."""

_MASK = (1 << 128) - 1


class RowDigests:
    """Per table and entity: how many rows it has and a hash of them that does not depend on their order."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.counts: Counter[str] = Counter()
        """Rows by table."""
        self._columns: dict[str, tuple[str, ...]] = {}

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        """Take a row in; the first row of a table tells which columns count."""
        columns = self._columns.setdefault(table, tuple(sorted(row)))
        values = repr([_plain(row[column]) for column in columns])
        digest = hashlib.blake2b(values.encode(errors="surrogateescape"), digest_size=16).digest()
        key = (table, str(row[OWNERS[table]]))
        # A sum, because rows come back in another order than they were written in.
        self._sums[key] = (self._sums[key] + int.from_bytes(digest)) & _MASK
        self.counts[table] += 1

    def differences(self, connection: sa.Connection, metadata: sa.MetaData, tables: Iterable[str]) -> list[str]:
        """Read tables back and describe every entity whose rows are not those that were taken in."""
        found = []
        for table in tables:
            stored = metadata.tables[table]
            actual = RowDigests()
            if columns := self._columns.get(table):
                for row in connection.execute(sa.select(*(stored.c[column] for column in columns))).mappings():
                    actual.add(table, row)
            else:
                actual.counts[table] = connection.scalar(sa.select(sa.func.count()).select_from(stored)) or 0
            if self.counts[table] != actual.counts[table]:
                found.append(f"{table}: {self.counts[table]} rows were written, {actual.counts[table]} are there")
            wanted, got = self.of(table), actual.of(table)
            found += [
                f"{table} of {owner}: not as written" for owner in sorted(wanted) if wanted[owner] != got.get(owner)
            ]
        return found

    def of(self, table: str) -> dict[str, int]:
        """The hashes of a table by entity."""
        return {owner: total for (name, owner), total in self._sums.items() if name == table}


def _plain(value: Any) -> Any:
    """A value as it is however a database returns it: booleans and integers may come back as each other."""
    return int(value) if isinstance(value, bool) else value
