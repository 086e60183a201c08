"""Whatever goes wrong while a store is migrated: source and older target stay, and nothing looks finished."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import SourceChangedError, StoreError
from tracegauge.stores.migrate import migrate_file_store
from tracegauge.stores.target import MigrationOptions

CODE = """
import sys
from tracegauge.stores.migrate import migrate_file_store
def show(progress):
    print(progress.step, flush=True)
migrate_file_store(sys.argv[1], sys.argv[2], on_progress=show)
"""
LIMITED = """
import resource, sys
from tracegauge.stores.errors import StoreError
from tracegauge.stores.migrate import migrate_file_store
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    migrate_file_store(sys.argv[1], sys.argv[2])
except StoreError as error:
    print("StoreError", error)
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("step", ["reading and writing", "writing spans", "verifying", "installing"])
def test_killed_at_any_step_and_run_again(step, written_now, read_store, tmp_path):
    before = contents(written_now)
    target = tmp_path / "out" / "mlflow.db"
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, written_now, f"sqlite:///{target}"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == step:
            break
    process.kill()
    process.wait(60)
    finished = target.exists()
    assert not finished or step == "installing", "what was killed before its end looks finished"
    assert contents(written_now) == before
    if not finished:
        report = migrate_file_store(str(written_now), f"sqlite:///{target}")
        assert report.verified
    assert read_store(f"sqlite:///{target}") == read_store(str(written_now))
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("limit", [2_000, 200_000, 500_000])
def test_a_full_disk_is_told_and_leaves_nothing(limit, written_now, tmp_path):
    """A limit of file sizes fails as a full disk does: in the middle of a write."""
    before = contents(written_now)
    target = tmp_path / "out" / "mlflow.db"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, written_now, f"sqlite:///{target}", str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("StoreError the database could not be written"), done.stdout + done.stderr
    assert contents(tmp_path) == {}
    assert contents(written_now) == before


def test_an_older_target_survives_a_failure(written_now, tmp_path, monkeypatch):
    target = tmp_path / "mlflow.db"
    migrate_file_store(str(written_now), f"sqlite:///{target}")
    before = target.read_bytes()

    def fails(*_):
        raise StoreError("not the same")

    monkeypatch.setattr("tracegauge.stores.migrate.verify_database", fails)
    for existing in ("overwrite", "merge"):
        with pytest.raises(StoreError, match="not the same"):
            migrate_file_store(str(written_now), f"sqlite:///{target}", MigrationOptions(existing=existing))
    assert target.read_bytes() == before


def test_a_store_that_is_written_to_is_noticed(written_now, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    run = next(store.glob("[0-9]*/*/metrics")).parent

    def write(progress):
        if progress.step == "verifying":
            (run / "metrics" / "late").write_text("1700000000000 1.0 0\n")

    with pytest.raises(SourceChangedError, match=rf"was written to while it was migrated.*{run.name}"):
        migrate_file_store(str(store), f"sqlite:///{tmp_path}/out/mlflow.db", on_progress=write)
    assert list((tmp_path / "out").iterdir()) == []


def run_bound_by_modes(store: Path, target: str) -> str:
    """Migrate in a process that file modes bind, as they don't bind root; returns what came of it."""
    code = (
        "import sys\nfrom tracegauge.stores.migrate import migrate_file_store\n"
        "try:\n    print(migrate_file_store(sys.argv[1], sys.argv[2]).totals())\n"
        "except Exception as error:\n    print(type(error).__name__, str(error).splitlines()[0])\n"
    )
    command = [sys.executable, "-c", code, str(store), target]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            reason = "root is not bound by file modes, and setpriv (util-linux) is not installed"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip().splitlines()[-1]


def set_modes(folder: Path, folders: int, files: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(folders if path.is_dir() else files)


def test_a_source_that_may_only_be_read(written_now, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    set_modes(store, 0o555, 0o444)
    try:
        result = run_bound_by_modes(store, f"sqlite:///{tmp_path}/out/mlflow.db")
    finally:
        set_modes(store, 0o755, 0o644)
    assert result == "{'skipped': 0, 'changed': 0, 'noted': 0}"


def test_what_may_not_be_read_is_listed_and_what_may_not_be_written_is_told(written_now, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    param = next(store.glob("*/*/params/model"))
    param.chmod(0)
    tags, params = (next(store.glob(f"[0-9]*/*/{folder}")) for folder in ("tags", "params"))
    tags.chmod(0)
    try:
        assert run_bound_by_modes(store, f"sqlite:///{tmp_path}/out/mlflow.db").startswith("{'skipped': 2,")
        tags.chmod(0o755)
        params.chmod(0o444)  # may be listed, and no more
        result = run_bound_by_modes(store, f"sqlite:///{tmp_path}/out1/mlflow.db")
    finally:
        tags.chmod(0o755)
        params.chmod(0o755)
    assert result.startswith("{'skipped':"), result
    store.chmod(0)
    try:
        result = run_bound_by_modes(store, f"sqlite:///{tmp_path}/out2/mlflow.db")
    finally:
        store.chmod(0o755)
    assert result.startswith("ConfigError")
    assert "can't be read" in result
    (tmp_path / "locked").mkdir(mode=0o555)
    result = run_bound_by_modes(store, f"sqlite:///{tmp_path}/locked/mlflow.db")
    assert result.startswith("StoreError")
    assert "can't be written to" in result


def test_what_nobody_foresaw_is_listed_too(written_now, tmp_path, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("what a surprise")

    monkeypatch.setattr("tracegauge.stores.filestore.read_run", fails)
    report = migrate_file_store(str(written_now), f"sqlite:///{tmp_path}/mlflow.db", MigrationOptions(dry_run=True))
    told = {(one.action, one.kind) for one in report.findings if "what a surprise" in one.reason}
    assert (told, report.migrated.get("runs", 0)) == ({("skipped", "run")}, 0)
    assert report.migrated["traces"] > 0


def test_a_target_inside_the_source_is_refused(file_store_29):
    before = contents(file_store_29)
    with pytest.raises(ConfigError, match="lies inside the source"):
        migrate_file_store(str(file_store_29), f"sqlite:///{file_store_29}/mlflow.db")
    assert contents(file_store_29) == before


@pytest.mark.parametrize("content", ["", "a file"])
def test_what_is_no_store_is_refused(content, tmp_path):
    source = tmp_path / "stuff"
    source.mkdir()
    if content:
        (source / "notes.txt").write_text(content)
    with pytest.raises(ConfigError, match="not an MLflow file store"):
        migrate_file_store(str(source), f"sqlite:///{tmp_path}/mlflow.db")
    assert [path.name for path in tmp_path.iterdir()] == ["stuff"]


def test_a_path_with_spaces_and_letters_of_any_kind(file_store_29, read_store, tmp_path):
    source = tmp_path / "mit Leerzeichen ä#100%" / "mlruns"
    shutil.copytree(file_store_29, source)
    target = tmp_path / "ausgabe ß 数据" / "mlflow.db"
    report = migrate_file_store(str(source), f"sqlite:///{target}")
    runs = read_store(f"sqlite:///{target}")["runs"]
    assert (report.artifacts.files, sum(len(run["artifacts"]) for run in runs.values())) == (18, 18)


def test_two_migrations_to_one_target_at_a_time(file_store_29, tmp_path):
    from tracegauge.stores.work_folder import work_folder

    with work_folder(tmp_path / "mlflow.db"), pytest.raises(StoreError, match="another tracegauge is writing"):
        migrate_file_store(str(file_store_29), f"sqlite:///{tmp_path}/mlflow.db")
