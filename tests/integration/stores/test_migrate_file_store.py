"""File stores arrive whole: what MLflow reads from the target is what it read from the source."""

import hashlib
import re
from pathlib import Path

import pytest

from tracegauge.stores.migrate import migrate_file_store
from tracegauge.stores.target import MigrationOptions

DATA = Path(__file__).parents[2] / "data" / "mlflow-2.9"


def tree_state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Names, times and contents of everything below a folder."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_a_2_9_store_arrives_whole(file_store_29, read_store, tmp_path):
    before = tree_state(file_store_29)
    source = read_store(str(file_store_29))
    report = migrate_file_store(str(file_store_29), f"sqlite:///{tmp_path}/mlflow.db")
    target = read_store(f"sqlite:///{tmp_path}/mlflow.db")

    # As counted when the fixture was made: 4 experiments, 17 runs of which 9 nested, 18 artifacts, …
    counts = report.migrated
    assert (counts["experiments"], counts["deleted experiments"]) == (4, 1)
    assert (counts["runs"], counts["nested runs"], counts["deleted runs"]) == (17, 9, 2)
    assert (counts["params"], counts["tags"], counts["metric points"]) == (55, 86, 93)
    assert report.artifacts.files == 18

    assert target["experiments"] == source["experiments"]
    assert target["models"] == source["models"]
    assert target["runs"].keys() == source["runs"].keys()
    artifacts = 0
    for run_id, run in source["runs"].items():
        there = target["runs"][run_id]
        artifacts += len(there["artifacts"])
        for metrics in (run["latest"], there["latest"]):
            for key in metrics:
                metrics[key] = metrics[key].replace("inf", "1.7976931348623157e+308")
        run["metrics"] = {
            key: [(step, at, value.replace("inf", "1.7976931348623157e+308")) for step, at, value in points]
            for key, points in run["metrics"].items()
        }
        assert there == run
    assert artifacts == 18
    assert tree_state(file_store_29) == before, "the source was touched"
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "mlartifacts", "mlflow.db.migration.json"}


def test_a_store_without_its_empty_folders_arrives_whole(tmp_path):
    """As after `git clone` or a copy to a bucket; MLflow 3.17 itself no longer finds such runs."""
    report = migrate_file_store(str(DATA / "filestore" / "mlruns"), f"sqlite:///{tmp_path}/mlflow.db")
    assert (report.migrated["runs"], report.artifacts.files, report.totals()["skipped"]) == (17, 18, 0)


def test_a_dry_run_writes_nothing(file_store_29, tmp_path):
    report = migrate_file_store(
        str(file_store_29), f"sqlite:///{tmp_path}/new/mlflow.db", MigrationOptions(dry_run=True)
    )
    assert report.migrated["runs"] == 17
    assert report.artifacts.files == 18
    assert not report.verified
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["copy", "link", "keep"])
def test_artifacts_open_wherever_the_store_was_moved(mode, file_store_29, read_store, tmp_path):
    report = migrate_file_store(str(file_store_29), f"sqlite:///{tmp_path}/mlflow.db", MigrationOptions(artifacts=mode))
    runs = read_store(f"sqlite:///{tmp_path}/mlflow.db")["runs"]
    assert sum(len(run["artifacts"]) for run in runs.values()) == 18
    assert report.artifacts.files == (0 if mode == "keep" else 18)
    assert (tmp_path / "mlartifacts").exists() == (mode != "keep")


def test_a_store_named_and_written_with_a_dot_for_its_host(file_store_29, read_store, workdir):
    """`file://./mlruns` looks like ./mlruns and means /mlruns: the 2.9-era configs said so, and wrote such URIs."""
    for meta in file_store_29.rglob("meta.yaml"):
        meta.write_text(re.sub("file:///srv/agents/.*mlruns", "file://./mlruns", meta.read_text()))
    assert "artifact_uri: file://./mlruns/" in next(file_store_29.glob("[0-9]*/*/meta.yaml")).read_text()
    file_store_29.rename(workdir / "mlruns")
    report = migrate_file_store("file://./mlruns", "sqlite:///mlflow.db")
    runs = read_store("sqlite:///mlflow.db")["runs"]
    assert (report.source, report.artifacts.files) == (str(workdir / "mlruns"), 18)
    assert sum(len(run["artifacts"]) for run in runs.values()) == 18
