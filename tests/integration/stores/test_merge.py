"""Migrating to a target that holds something already, SQLite and PostgreSQL."""

import shutil
from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.stores.migrate import migrate_file_store
from tracegauge.stores.target import MigrationOptions

MERGE = MigrationOptions(existing="merge")


def without_experiments(snapshot):
    """Runs by id, without the experiment ids, which may be mapped."""
    return {run_id: {**run, "experiment": None} for run_id, run in snapshot["runs"].items()}


def names_of(snapshot):
    names = {experiment_id: one["name"] for experiment_id, one in snapshot["experiments"].items()}
    return {run_id: names[run["experiment"]] for run_id, run in snapshot["runs"].items()}


def test_an_existing_target_is_refused_unless_told_what_to_do(file_store_29, tmp_path):
    target = tmp_path / "mlflow.db"
    target.write_bytes(b"somebody's")
    with pytest.raises(ConfigError, match=r"not an SQLite database"):
        migrate_file_store(str(file_store_29), f"sqlite:///{target}")
    target.unlink()
    migrate_file_store(str(file_store_29), f"sqlite:///{target}")
    before = target.read_bytes()
    with pytest.raises(ConfigError, match=r"exists already\n.*--merge.*--overwrite"):
        migrate_file_store(str(file_store_29), f"sqlite:///{target}")
    assert target.read_bytes() == before


def test_overwriting_keeps_a_backup(file_store_29, read_store, tmp_path):
    target = tmp_path / "mlflow.db"
    migrate_file_store(str(file_store_29), f"sqlite:///{target}")
    before = target.read_bytes()
    victim = next(file_store_29.glob("*/*/params/workflow_name"))
    victim.write_text("renamed")
    report = migrate_file_store(str(file_store_29), f"sqlite:///{target}", MigrationOptions(existing="overwrite"))
    backup = Path(report.backup)
    assert read_store(f"sqlite:///{backup}")["runs"] != read_store(f"sqlite:///{target}")["runs"]
    assert backup.stat().st_size == len(before)
    run_id = victim.parents[1].name
    assert read_store(f"sqlite:///{target}")["runs"][run_id]["params"]["workflow_name"] == "renamed"


def test_merging_twice_adds_nothing(file_store_29, read_store, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    migrate_file_store(str(file_store_29), uri)
    once = read_store(uri)
    report = migrate_file_store(str(file_store_29), uri, MERGE)
    assert report.merged.added.get("run", 0) == 0
    assert report.merged.already_there["run"] == 17
    assert report.merged.different.get("run", 0) == 0
    assert read_store(uri) == once


def test_merging_adds_what_is_new_and_reports_what_differs(file_store_29, read_store, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    all_of_it = read_store(str(file_store_29))
    part = tmp_path / "part"
    shutil.copytree(file_store_29, part)
    runs = sorted(path.parent for path in part.glob("*/*/meta.yaml") if path.parents[1].name != "models")
    shutil.rmtree(runs[0])
    (runs[1] / "params" / "extra").write_text("only here")
    migrate_file_store(str(part), uri, MigrationOptions(artifact_root=tmp_path / "part-artifacts"))

    report = migrate_file_store(str(file_store_29), uri, MERGE)
    assert report.merged.added["run"] == 1
    assert report.merged.different["run"] == 1
    assert [finding.path for finding in report.findings if finding.kind == "run"] == [runs[1].name]
    there = read_store(uri)
    assert there["runs"].keys() == all_of_it["runs"].keys()
    assert there["runs"][runs[1].name]["params"]["extra"] == "only here"
    assert Path(report.backup).exists()


def test_experiments_of_one_name_become_one_and_taken_ids_are_mapped(file_store_29, read_store, tmp_path):
    import mlflow

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    same_name = client.create_experiment("team_data_science")
    names = names_of(read_store(str(file_store_29)))
    report = migrate_file_store(str(file_store_29), uri, MERGE)
    there = read_store(uri)
    assert names_of(there) == names
    mapped = {old for old, new in report.experiment_ids.items() if new == same_name}
    assert len(mapped) == 1


def test_postgresql_as_a_target(postgresql, file_store_29, read_store, tmp_path):
    source = read_store(str(file_store_29))
    options = MigrationOptions(artifact_root=tmp_path / "artifacts")
    report = migrate_file_store(str(file_store_29), postgresql, options)
    there = read_store(postgresql)
    assert names_of(there) == names_of(source)
    # 18-digit ids don't fit its INTEGER column; 0 is the default experiment in both.
    assert set(report.experiment_ids) == set(source["experiments"]) - {"0"}
    by_name = {one["name"]: experiment_id for experiment_id, one in there["experiments"].items()}
    for old, new in report.experiment_ids.items():
        assert by_name[source["experiments"][old]["name"]] == new
    for run_id, run in without_experiments(source).items():
        found = without_experiments(there)[run_id]
        assert (found["params"], found["tags"], found["times"]) == (run["params"], run["tags"], run["times"])
        assert found["metrics"].keys() == run["metrics"].keys()
    assert sum(len(run["artifacts"]) for run in there["runs"].values()) == 18

    with pytest.raises(ConfigError, match="exists already"):
        migrate_file_store(str(file_store_29), postgresql, options)
    again = migrate_file_store(
        str(file_store_29), postgresql, MigrationOptions(existing="merge", artifact_root=tmp_path / "artifacts")
    )
    assert again.merged.already_there["run"] == 17
    assert read_store(postgresql) == there

    # The database gave the ids, so it knows that they are taken.
    import mlflow

    assert mlflow.MlflowClient(postgresql).create_experiment("after") not in there["experiments"]
