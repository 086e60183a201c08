"""Old SQLite databases are upgraded whole, with a backup, and moved artifacts open afterwards."""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import StoreError
from tracegauge.stores.install import back_up
from tracegauge.stores.schema_upgrade import migrate_database

DATA = Path(__file__).parents[2] / "data"
REVISION_29 = "acf3f17fdcc7"


@pytest.fixture
def old_database(sqlite_29, tmp_path):
    """A copy of the 2.9.2 database with its artifacts beside it, elsewhere than where it was written."""
    folder = tmp_path / "mit Leerzeichen ä#100%"
    shutil.copytree(sqlite_29.parent, folder)
    return folder / "mlflow.db"


def rows_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: sorted(map(repr, connection.execute(f"SELECT {columns} FROM {table}")))
            for table, columns in {
                "runs": "run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id",
                "params": "key, value, run_uuid",
                "tags": "key, value, run_uuid",
                "metrics": "key, value, timestamp, step, is_nan, run_uuid",
                "experiments": "experiment_id, name, lifecycle_stage",
                "model_versions": "name, version, run_id",
            }.items()
        }


def test_what_is_written_meanwhile_is_not_lost(old_database, monkeypatch):
    def back_up_slowly(path):
        backup = back_up(path)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("INSERT INTO experiments (name, lifecycle_stage) VALUES ('late', 'active')")
        return backup

    monkeypatch.setattr("tracegauge.stores.schema_upgrade.back_up", back_up_slowly)
    with pytest.raises(StoreError, match="written to meanwhile"):
        migrate_database(f"sqlite:///{old_database}")
    with closing(sqlite3.connect(old_database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISION_29,)
        assert connection.execute("SELECT name FROM experiments WHERE name = 'late'").fetchall() == [("late",)]
    assert list(old_database.parent.glob("*backup*")) == []


def test_a_dry_run_leaves_the_folder_alone(old_database, monkeypatch):
    monkeypatch.setattr("tracegauge.stores.schema_upgrade.work_folder", None)
    before = old_database.parent.stat().st_mtime_ns
    assert migrate_database(f"sqlite:///{old_database}", dry_run=True).uris_rewritten == 21
    assert old_database.parent.stat().st_mtime_ns == before


def test_a_2_9_database_is_upgraded_with_a_backup(old_database, read_store):
    before = old_database.read_bytes()
    rows = rows_of(old_database)
    report = migrate_database(f"sqlite:///{old_database}")
    assert report.from_revision == REVISION_29
    assert report.rows["runs"] == 17
    assert rows_of(old_database) == rows
    with closing(sqlite3.connect(report.backup)) as backup:
        assert backup.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISION_29,)
    assert rows_of(report.backup) == rows
    assert len(before) == Path(report.backup).stat().st_size

    # The artifacts lie beside the database, not where they were written.
    runs = read_store(f"sqlite:///{old_database}")["runs"]
    assert sum(len(run["artifacts"]) for run in runs.values()) == 18
    again = migrate_database(f"sqlite:///{old_database}")
    assert (again.backup, again.uris_rewritten) == (None, 0)


def test_a_3_9_database_with_traces_is_upgraded(read_store, tmp_path):
    """It was written in /srv/agents, with artifacts below mlruns; on MLflow 3.9 itself only its URIs are rewritten."""
    with tarfile.open(DATA / "sqlite-3.9.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    before = rows_of(tmp_path / "mlflow.db")
    report = migrate_database(f"sqlite:///{tmp_path}/mlflow.db")
    assert report.backup
    assert rows_of(tmp_path / "mlflow.db") == before
    there = read_store(f"sqlite:///{tmp_path}/mlflow.db")
    (workflow,) = [run for run in there["runs"].values() if run["name"] == "workflow"]
    assert workflow["artifacts"]["deep/er/ä b.txt"] == "tief ü".encode()
    traces = there["traces"].values()
    assert (len(traces), sum(len(trace["spans"]) for trace in traces)) == (3, 5)
    # What `make_store.py` writes: four feedbacks, one of which overrides another, and an expectation.
    names = sorted(json.loads(one)["assessment_name"] for trace in traces for one in trace["assessments"])
    assert names == ["facts", "failed", "good", "good", "score"]


def test_a_dry_run_leaves_it_alone(old_database):
    before = old_database.read_bytes()
    report = migrate_database(f"sqlite:///{old_database}", dry_run=True)
    assert report.rows["runs"] == 17
    assert old_database.read_bytes() == before
    assert {path.name for path in old_database.parent.iterdir()} == {"mlflow.db", "mlruns"}


def test_a_newer_database_is_refused_with_advice(old_database):
    with closing(sqlite3.connect(old_database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
    before = old_database.read_bytes()
    with pytest.raises(ConfigError, match=r"newer MLflow than the installed 3\..*\n.*pip install --upgrade mlflow"):
        migrate_database(f"sqlite:///{old_database}")
    assert old_database.read_bytes() == before


def test_what_is_no_mlflow_database_is_refused(tmp_path):
    path = tmp_path / "x.db"
    with pytest.raises(ConfigError, match="there is no file"):
        migrate_database(f"sqlite:///{path}")
    path.write_text("not a database at all, but long enough to be looked at")
    with pytest.raises(ConfigError, match="not an SQLite database"):
        migrate_database(f"sqlite:///{path}")
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(ConfigError, match="not an MLflow database"):
        migrate_database(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match=r"database server.*\n.*mlflow db upgrade postgresql"):
        migrate_database("postgresql://me:secret@nowhere/db")


def test_a_database_with_damaged_pages_is_refused(old_database):
    content = bytearray(old_database.read_bytes())
    content[8192 : 8192 + 4096] = b"\xff" * 4096
    old_database.write_bytes(content)
    with pytest.raises((StoreError, ConfigError)):
        migrate_database(f"sqlite:///{old_database}")
    assert old_database.read_bytes() == bytes(content)


def test_an_upgrade_that_loses_something_is_not_installed(old_database, monkeypatch):
    """MLflow's own steps are trusted only as far as they can be verified."""
    from tracegauge.stores import schema_upgrade

    upgrade = schema_upgrade.upgrade_to_installed

    def lossy(engine):
        upgrade(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE params SET value = 'other' WHERE rowid = 1")

    monkeypatch.setattr(schema_upgrade, "upgrade_to_installed", lossy)
    before = old_database.read_bytes()
    with pytest.raises(StoreError, match=r"does not hold the same \(1 differences\): params of"):
        migrate_database(f"sqlite:///{old_database}")
    assert old_database.read_bytes() == before
    assert {path.name for path in old_database.parent.iterdir()} == {"mlflow.db", "mlruns"}


def test_a_write_during_the_upgrade_is_noticed(old_database):
    def write(step):
        if step == "verifying":
            with closing(sqlite3.connect(old_database)) as connection:
                connection.execute("UPDATE params SET value = 'late' WHERE rowid = 1")
                connection.commit()

    with pytest.raises(StoreError, match="written to meanwhile"):
        migrate_database(f"sqlite:///{old_database}", on_step=write)
