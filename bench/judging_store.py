"""Stores full of synthetic traces, for the benchmarks of judging."""

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from mlflow.tracing.client import TracingClient

from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example

NUMBER = "7360514"
"""Stands in the one trace that MLflow writes, where each copy has its own number."""
STEP = 5_000


def fill(database: Path, count: int) -> str:
    """Make a store of so many traces that differ in their texts; returns its URI.

    MLflow writes one trace; the others are copies of its rows, which takes a hundredth of the time.
    """
    parts = {"inputs": f"What is item {NUMBER}?", "outputs": f"It is item {NUMBER}.", "source": "synthetic"}
    [trace] = traces_of(Example.model_validate({"item": "one", "label": True, **parts}))
    uri = f"sqlite:///{database}"
    store = TracingClient(uri).store
    store.start_trace(trace.info)
    store.log_spans("0", trace.data.spans)
    template = trace.info.trace_id
    began_ms = int(time.time() * 1000) - count
    with closing(sqlite3.connect(database)) as connection:
        for table, key in _tables_of_traces(connection):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]
            names = ", ".join(columns)
            rows = connection.execute(f"SELECT {names} FROM {table} WHERE {key} = ?", (template,)).fetchall()
            when = columns.index("timestamp_ms") if table == "trace_info" else None
            copies = _copies(rows, template, count, when, began_ms)
            while some := list(islice(copies, STEP)):
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)
        for table, key in reversed(_tables_of_traces(connection)):
            connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (template,))
        connection.commit()
    return uri


def _tables_of_traces(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables with rows of the template, and the column that names it; trace_info first, to which the others refer."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = []
    for table in sorted(tables, key=lambda name: name != "trace_info"):
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        key = next((one for one in ("request_id", "trace_id") if one in columns), None)
        if key and connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
            found.append((table, key))
    return found


def _copies(
    rows: list[tuple[Any, ...]], template: str, count: int, when: int | None, began_ms: int
) -> Iterator[list[Any]]:
    for number in range(count):
        trace_id = "tr-" + blake2b(str(number).encode(), digest_size=16).hexdigest()
        changes = ((template, trace_id), (_base64(template), _base64(trace_id)), (NUMBER, str(number)))
        for row in rows:
            copy = [_changed(value, changes) if isinstance(value, str) else value for value in row]
            if when is not None:
                copy[when] = began_ms + number
            yield copy


def _changed(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        text = text.replace(old, new)
    return text


def _base64(trace_id: str) -> str:
    return base64.b64encode(bytes.fromhex(trace_id.removeprefix("tr-"))).decode()
