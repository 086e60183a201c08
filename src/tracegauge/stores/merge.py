"""Adds a staged database to one that exists: what is new is copied and read back, what is there already is compared."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tracegauge.stores.entities import Kind, Row
from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.fitting import fit_row
from tracegauge.stores.report import MergeTotals
from tracegauge.stores.row_digests import RowDigests
from tracegauge.stores.spans import ARTIFACT_LOCATION_TAG

_BATCH = 500


@dataclass(frozen=True)
class _Group:
    """The tables that hold one kind of entity; the first has one row for each."""

    kind: Kind
    tables: tuple[tuple[str, str], ...]
    """(table, the column that holds the entity's id)."""


_GROUPS = (
    _Group(
        "run",
        tuple((table, "run_uuid") for table in ("runs", "params", "tags", "metrics", "latest_metrics")),
    ),
    _Group(
        "logged model",
        tuple(
            (table, "model_id")
            for table in ("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics")
        ),
    ),
    _Group(
        "trace",
        (
            *(
                (table, "request_id")
                for table in ("trace_info", "trace_tags", "trace_request_metadata", "trace_metrics")
            ),
            ("spans", "trace_id"),
            ("assessments", "trace_id"),
        ),
    ),
    _Group(
        "registered model",
        tuple(
            (table, "name")
            for table in (
                "registered_models",
                "registered_model_tags",
                "model_versions",
                "model_version_tags",
                "registered_model_aliases",
            )
        ),
    ),
)

_PLACES = frozenset({"artifact_uri", "artifact_location", "source", "storage_location"})
"""Columns that may differ between two copies of one entity: where its artifacts are."""


@dataclass(frozen=True)
class Merged:
    """What merging has done."""

    totals: MergeTotals
    experiment_ids: dict[str, str]
    """The experiments that have another id in the target: id in the source → id in the target."""


class Merger:
    """Merges a database of the installed schema into another of the same, within the target's transaction."""

    def __init__(self, source: sa.Connection, target: sa.Connection, findings: Findings) -> None:
        self._source, self._target = source, target
        self._source_tables, self._target_tables = sa.MetaData(), sa.MetaData()
        self._source_tables.reflect(source)
        self._target_tables.reflect(target)
        self._findings = findings
        self._experiment_ids: dict[int, int] = {}
        self._dataset_ids: dict[str, str] = {}
        self._added: Counter[str] = Counter()
        self._already_there: Counter[str] = Counter()
        self._different: Counter[str] = Counter()

    def merge(self) -> Merged:
        """Copy and compare everything. Raises StoreError if what was copied does not read back the same."""
        self._merge_experiments()
        self._merge_datasets()
        for group in _GROUPS:
            added = self._merge_group(group)
            if group.kind == "run":
                self._copy_inputs(added)
        return Merged(
            MergeTotals(
                added=dict(self._added), already_there=dict(self._already_there), different=dict(self._different)
            ),
            {str(old): str(new) for old, new in self._experiment_ids.items() if old != new},
        )

    def _merge_experiments(self) -> None:
        target = self._target_tables.tables["experiments"]
        there = {row.name: row.experiment_id for row in self._target.execute(sa.select(target))}
        free = self._target.dialect.name == "sqlite"
        for row in self._rows("experiments"):
            old = row["experiment_id"]
            if (known := there.get(row["name"])) is not None:
                self._experiment_ids[old] = known
                self._already_there["experiment"] += 1
                self._merge_experiment_tags(old, row["name"])
                continue
            if not free or old in there.values():
                # The database gives the id: only then does it know that the id is taken.
                del row["experiment_id"]
            inserted = self._target.execute(target.insert().values(row)).inserted_primary_key
            assert inserted is not None
            new = inserted[0]
            self._experiment_ids[old] = there[row["name"]] = new
            self._copy("experiment_tags", "experiment_id", [old])
            self._added["experiment"] += 1

    def _merge_experiment_tags(self, old: int, name: str) -> None:
        table = self._target_tables.tables["experiment_tags"]
        new = self._experiment_ids[old]
        there = {
            row.key: row.value for row in self._target.execute(sa.select(table).where(table.c.experiment_id == new))
        }
        for row in self._rows("experiment_tags", "experiment_id", [old]):
            if row["key"] not in there:
                self._target.execute(table.insert().values(row))
            elif there[row["key"]] != row["value"]:
                reason = "the target has another value, which is kept"
                self._findings.skipped("experiment tag", f"{name}: {row['key']}", reason)

    def _merge_datasets(self) -> None:
        table = self._target_tables.tables["datasets"]
        there = {
            (row.experiment_id, row.name, row.digest): row.dataset_uuid
            for row in self._target.execute(
                sa.select(table.c.experiment_id, table.c.name, table.c.digest, table.c.dataset_uuid)
            )
        }
        for row in self._rows("datasets"):
            known = there.get((row["experiment_id"], row["name"], row["digest"]))
            self._dataset_ids[row["dataset_uuid"]] = known or row["dataset_uuid"]
            (self._added if known is None else self._already_there)["dataset"] += 1
            if known is None:
                self._target.execute(table.insert().values(row))

    def _merge_group(self, group: _Group) -> list[Any]:
        """Copy the entities that the target has not, and compare the others; returns the ids of the former."""
        main, key = group.tables[0]
        ids = list(self._source.scalars(sa.select(self._source_tables.tables[main].c[key])))
        there_column = self._target_tables.tables[main].c[key]
        added = []
        for batch in _batches(ids):
            there = set(self._target.scalars(sa.select(there_column).where(there_column.in_(batch))))
            new = [one for one in batch if one not in there]
            for table, column in group.tables:
                self._copy(table, column, new)
            added += new
            self._compare(group, [one for one in batch if one in there])
        self._added[group.kind] += len(added)
        return added

    def _copy(self, table: str, column: str, ids: Sequence[Any]) -> None:
        """Copy the rows of some entities and read them back."""
        target = self._target_tables.tables[table]
        rows = [
            fit_row(target, row, self._target.dialect.name, self._findings) for row in self._rows(table, column, ids)
        ]
        if not rows:
            return
        self._target.execute(target.insert(), rows)
        owners = {row[column] for row in rows}
        stored = [
            row for batch in _batches(sorted(owners)) for row in self._stored(table, column, batch, list(rows[0]))
        ]
        if _digests(table, rows) != _digests(table, stored):
            raise StoreError(f"what was copied to the table {table} does not read back as it was written")

    def _copy_inputs(self, runs: Iterable[Any]) -> None:
        """Copy the inputs and outputs of the runs that were copied."""
        added = set(runs)
        inputs = [
            row["input_uuid"] for row in self._rows("inputs") if {row["source_id"], row["destination_id"]} & added
        ]
        for batch in _batches(inputs):
            self._copy("inputs", "input_uuid", batch)
            self._copy("input_tags", "input_uuid", batch)

    def _compare(self, group: _Group, ids: Sequence[Any]) -> None:
        """Count the entities that are the same in both databases, and find those that are not."""
        different: set[Any] = set()
        for table, column in group.tables:
            target = self._target_tables.tables[table]
            rows = [
                fit_row(target, row, self._target.dialect.name, Findings()) for row in self._rows(table, column, ids)
            ]
            wanted = _digests(table, _without_places(rows))
            stored = self._stored(table, column, ids, [c.name for c in _columns(target)])
            found = _digests(table, _without_places(stored))
            different |= {one for one in wanted.keys() | found.keys() if wanted.get(one) != found.get(one)}
        for one in sorted(different):
            self._findings.skipped(group.kind, str(one), "the target has it already with other values, which are kept")
        self._different[group.kind] += len(different)
        self._already_there[group.kind] += len(ids) - len(different)

    def _rows(self, table: str, column: str | None = None, ids: Sequence[Any] = ()) -> Iterator[Row]:
        """Rows of the source, with ids as they are in the target."""
        source = self._source_tables.tables[table]
        query = sa.select(*_columns(source))
        if column is not None:
            query = query.where(source.c[column].in_(ids))
        for row in self._source.execute(query).mappings():
            yield self._translated(dict(row))

    def _translated(self, row: Row) -> Row:
        if "experiment_id" in row:
            row["experiment_id"] = self._experiment_ids.get(row["experiment_id"], row["experiment_id"])
        if row.get("source_type") == "DATASET" and "source_id" in row:
            row["source_id"] = self._dataset_ids.get(row["source_id"], row["source_id"])
        if row.get("dataset_uuid") in self._dataset_ids:
            row["dataset_uuid"] = self._dataset_ids[row["dataset_uuid"]]
        return row

    def _stored(self, table: str, column: str, ids: Sequence[Any], columns: list[str]) -> list[Row]:
        target = self._target_tables.tables[table]
        query = sa.select(*(target.c[name] for name in columns)).where(target.c[column].in_(ids))
        return [dict(row) for row in self._target.execute(query).mappings()]


def _columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that can be written: a computed one can't."""
    return [column for column in table.c if column.computed is None]


def _digests(table: str, rows: Iterable[Row]) -> dict[Any, int]:
    digests = RowDigests()
    for row in rows:
        digests.add(table, row)
    return digests.of(table)


def _without_places(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if row.get("key") != ARTIFACT_LOCATION_TAG:
            yield {name: value for name, value in row.items() if name not in _PLACES}


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
