"""What a store is made of, as rows of MLflow's 3.9 schema: the form in which a file store is read and written."""

from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]
Kind = Literal["experiment", "dataset", "run", "logged model", "trace", "registered model"]


@dataclass(slots=True)
class Entity:
    """One experiment, run, trace, … with all rows that belong to it."""

    kind: Kind
    id: str
    path: str
    """Its folder in the source."""
    rows: list[tuple[str, Row]] = field(default_factory=list)
    """(table, row); all rows of a table have the same columns."""
    deleted: bool = False
    """Whether it is in the trash."""

    def add(self, table: str, **row: Any) -> None:
        """Add a row to a table."""
        self.rows.append((table, row))


@dataclass(frozen=True, slots=True)
class SpanFile:
    """Where the spans of a trace stand; they are read after the schema upgrade (see `spans`)."""

    trace_id: str
    experiment_id: int
    path: str
