"""Traces, spans and assessments arrive whole, from every MLflow that wrote them."""

import json
import tarfile
from pathlib import Path

import pytest

from tracegauge.stores.migrate import migrate_file_store

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(params=["installed", "3.9.0", "3.12.0", "2.22.0"])
def any_store(request, tmp_path):
    if request.param == "installed":
        return request.getfixturevalue("written_now")
    with tarfile.open(DATA / f"file-store-{request.param}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "mlruns"


def test_everything_in_a_store_arrives(any_store, read_store, tmp_path):
    source = read_store(str(any_store))
    report = migrate_file_store(str(any_store), f"sqlite:///{tmp_path}/out/mlflow.db")
    target = read_store(f"sqlite:///{tmp_path}/out/mlflow.db")
    assert report.totals()["skipped"] == 0
    assert report.migrated["spans"] == sum(len(trace["spans"]) for trace in source["traces"].values()) == 5
    assert report.migrated["traces"] == 3
    assert source.keys() == target.keys()
    assert target["traces"] == source["traces"]
    assert target == source
    workflow = next(run for run in target["runs"].values() if run["name"] == "workflow")
    assert workflow["artifacts"]["deep/er/ä b.txt"] == "tief ü".encode()
    assert json.loads(workflow["artifacts"]["inputs.json"]) == {"a": 1}
    assert workflow["params"]["lines"] == "one\r\ntwo\n"


def test_spans_can_be_searched_afterwards(written_now, tmp_path):
    """In a file store MLflow refuses to filter by span."""
    import mlflow

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    migrate_file_store(str(written_now), uri)
    client = mlflow.MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "agents ä"]
    found = client.search_traces(locations=[experiment.experiment_id], filter_string="span.name = 'llm'")
    assert len(found) == 2
    assert all(len(trace.data.spans) == 2 for trace in found)


def test_span_rows_are_those_that_mlflow_itself_writes(written_now, tmp_path):
    """So that what reads the table, dashboards say, finds the same columns filled."""
    import sqlalchemy as sa
    from mlflow.entities import Span
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    migrate_file_store(str(written_now), uri)
    other = SqlAlchemyStore(f"sqlite:///{tmp_path}/other.db", str(tmp_path))
    for path in written_now.glob("*/traces/*/artifacts/traces.json"):
        other.log_spans("0", [Span.from_dict(span) for span in json.loads(path.read_text())["spans"]])
    tables = []
    for engine in (sa.create_engine(uri), other.engine):
        metadata = sa.MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(metadata.tables["spans"]).order_by(sa.text("trace_id, span_id")))
            tables.append([dict(row) | {"experiment_id": 0} for row in rows.mappings()])
    for ours, theirs in zip(*tables, strict=True):
        assert json.loads(ours.pop("content")) == json.loads(theirs.pop("content"))
        assert ours == theirs
    assert len(tables[0]) == 5
