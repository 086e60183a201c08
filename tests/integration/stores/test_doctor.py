"""The doctor says what a store is and what is wrong with it, and changes nothing."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.stores.doctor import diagnose
from tracegauge.stores.migrate import migrate_file_store


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_moved_2_9_database(sqlite_29, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(sqlite_29.parent, folder)
    before = state(folder)
    diagnosis = diagnose(f"sqlite:///{folder}/mlflow.db")
    assert state(folder) == before
    assert diagnosis.kind == "database"
    assert diagnosis.holds["runs"] == 17
    problems = {one.what: one for one in diagnosis.complaints if one.severity == "problem"}
    assert "older (acf3f17fdcc7)" in problems["schema"].message
    assert problems["schema"].advice == f"tracegauge migrate sqlite:///{folder}/mlflow.db"
    assert str(folder / "mlruns") in problems["artifacts"].message
    assert not diagnosis.healthy


def test_a_moved_file_store(file_store_29):
    before = state(file_store_29)
    diagnosis = diagnose(str(file_store_29))
    assert state(file_store_29) == before
    assert (diagnosis.kind, diagnosis.holds["runs"], diagnosis.holds["nested runs"]) == ("file store", 17, 9)
    assert any("the store was moved" in one.message for one in diagnosis.complaints)


def test_orphans_traps_and_a_newer_schema(sqlite_29, tmp_path):
    database = tmp_path / "mlflow.db"
    shutil.copyfile(sqlite_29, database)
    with closing(sqlite3.connect(database)) as connection:
        (run,) = connection.execute("SELECT run_uuid FROM runs WHERE experiment_id = 2").fetchone()
        connection.execute("UPDATE runs SET artifact_uri = 'file://./mlruns/2/x/artifacts' WHERE run_uuid = ?", (run,))
        connection.execute("INSERT INTO params VALUES ('p', '1', 'nobody')")
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
    diagnosis = diagnose(f"sqlite:///{database}")
    found = [(one.what, one.examples) for one in diagnosis.complaints if one.severity == "problem"]
    assert ("orphans", ("nobody",)) in found
    assert ("artifacts", ("file://./mlruns/2/x/artifacts",)) in found
    assert any("newer MLflow" in one.message for one in diagnosis.complaints)


def test_the_source_beside_a_migrated_database_is_another_store(written_now, tmp_path):
    """Folders without files don't arrive, nor do files of spans: MLflow makes the former, and the latter are rows."""
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    for name in ("with.db", "without.db"):
        migrate_file_store(str(store), f"sqlite:///{tmp_path}/{name}")
        diagnosis = diagnose(f"sqlite:///{tmp_path}/{name}")
        assert diagnosis.healthy, diagnosis.complaints
        shutil.rmtree(tmp_path / "mlartifacts")
        for file in [*store.glob("*/*/artifacts/*"), *store.glob("*/models/*/artifacts/*")]:
            shutil.rmtree(file) if file.is_dir() else file.unlink()


def test_what_is_no_store_is_refused(workdir):
    with pytest.raises(ConfigError, match="there is no file"):
        diagnose("sqlite:///nowhere.db")
    with pytest.raises(ConfigError, match="there is no folder"):
        diagnose("./mlruns")
    assert list(workdir.iterdir()) == []


def test_a_server_that_is_away(tmp_path):
    diagnosis = diagnose("http://127.0.0.1:9")
    assert (diagnosis.kind, diagnosis.healthy) == ("server", False)
