"""Writes a file store into a new SQLite database, in MLflow's installed schema, and verifies it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from tracegauge.stores.entities import SpanFile
from tracegauge.stores.errors import StoreError
from tracegauge.stores.filestore import read_file_store
from tracegauge.stores.locations import sqlite_url
from tracegauge.stores.mlflow_schema import create_base_schema, open_engine, reflect, upgrade_to_installed
from tracegauge.stores.reading import Reading
from tracegauge.stores.report import Tally
from tracegauge.stores.row_digests import OWNERS, RowDigests
from tracegauge.stores.row_writer import RowWriter
from tracegauge.stores.small_files import UnreadableFileError
from tracegauge.stores.spans import IN_DATABASE, SPAN_FILE, SPANS_LOCATION_TAG, read_spans
from tracegauge.stores.survey import Survey
from tracegauge.stores.trace_digests import TraceDigests

READ_BY_MLFLOW = frozenset({"trace_info", "trace_tags", "trace_request_metadata", "trace_metrics"})
"""Tables whose rows a newer schema keeps otherwise; `TraceDigests` compares what MLflow makes of them."""


@dataclass
class Written:
    """What was written, for verifying."""

    tally: Tally = field(default_factory=Tally)
    rows: RowDigests = field(default_factory=RowDigests)
    traces: TraceDigests = field(default_factory=TraceDigests)
    experiment_ids: list[str] = field(default_factory=list)
    span_files: list[SpanFile] = field(default_factory=list)


Step = Callable[[str], None]
"""Called once for every folder that was read, and every trace whose spans were, with what is being done."""


def read_only(survey: Survey, reading: Reading, step: Step) -> Tally:
    """Read everything and write nothing: what a dry run does."""
    tally = Tally()
    for place in read_file_store(survey, reading):
        step("reading")
        if place.entity is not None:
            tally.add(place.entity)
        if place.spans is not None:
            try:
                tally.add_spans(read_spans(place.spans))
            except UnreadableFileError as error:
                reading.findings.skipped("spans of a trace", place.spans.path, str(error))
    return tally


def write_database(path: Path, survey: Survey, reading: Reading, step: Step) -> Written:
    """Write a file store to a new SQLite file. Raises StoreError where that can't be written."""
    written = Written()
    try:
        with open_engine(sqlite_url(path), fast=True) as engine:
            create_base_schema(engine)
            _write_entities(engine, survey, reading, written, step)
            upgrade_to_installed(engine)
            _write_spans(engine, reading, written, step)
    except (sa.exc.SQLAlchemyError, OverflowError) as error:
        raise StoreError(f"the database could not be written: {getattr(error, 'orig', None) or error}") from error
    return written


def _write_entities(engine: sa.Engine, survey: Survey, reading: Reading, written: Written, step: Step) -> None:
    with engine.begin() as connection, RowWriter(connection, reflect(engine), written.rows) as writer:
        for place in read_file_store(survey, reading):
            step("reading and writing")
            if place.entity is None:
                continue
            for table, row in place.entity.rows:
                writer.write(table, row)
            written.tally.add(place.entity)
            if place.entity.kind == "experiment":
                written.experiment_ids.append(place.entity.id)
            if place.entity.kind == "trace":
                written.traces.add(place.entity)
            if place.spans is not None:
                written.span_files.append(place.spans)


def _write_spans(engine: sa.Engine, reading: Reading, written: Written, step: Step) -> None:
    """Write the spans into the installed schema: upgrading them along would rewrite their large table several times."""
    metadata = reflect(engine)
    columns = frozenset(metadata.tables["spans"].c.keys())
    in_database = []
    with engine.begin() as connection, RowWriter(connection, metadata, written.rows) as writer:
        for file in written.span_files:
            step("writing spans")
            try:
                rows = read_spans(file, columns)
            except UnreadableFileError as error:
                reading.findings.skipped("spans of a trace", file.path, f"{error}; the file is kept as it is")
                _keep_file(file, reading)
                continue
            for row in rows:
                writer.write("spans", row)
            written.tally.add_spans(rows)
            in_database.append({"key": SPANS_LOCATION_TAG, "value": IN_DATABASE, "request_id": file.trace_id})
        if in_database:
            connection.execute(metadata.tables["trace_tags"].insert(), in_database)


def _keep_file(file: SpanFile, reading: Reading) -> None:
    """Bring along the file of spans that can't be read, to where MLflow looks for it."""
    trace, experiment = Path(file.path).parents[1], Path(file.path).parents[3]
    reading.artifacts.bring_file(file.path, f"{experiment.name}/traces/{trace.name}/artifacts/{SPAN_FILE}")


def verify_database(path: Path, artifact_root: Path, written: Written) -> None:
    """Read a database back, rows by themselves and traces by MLflow. Raises StoreError unless all is as written."""
    with open_engine(sqlite_url(path), fast=True) as engine, engine.connect() as connection:
        differences = written.rows.differences(connection, reflect(engine), OWNERS.keys() - READ_BY_MLFLOW)
    # Opened as MLflow will: this checks the schema's version, and makes the default experiment if there is none.
    store = SqlAlchemyStore(str(sqlite_url(path)), artifact_root.as_uri())
    try:
        differences += written.traces.differences(store, written.experiment_ids)
    finally:
        store.engine.dispose()
    if differences:
        shown = "; ".join(differences[:5])
        raise StoreError(f"the new database does not hold what was read ({len(differences)} differences): {shown}")
