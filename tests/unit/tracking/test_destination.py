"""Where tracking goes: config > environment > an existing ./mlruns with data > SQLite."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from tracegauge.tracking import destination
from tracegauge.tracking.destination import MIGRATE, holds_a_store, resolve_destination


@pytest.fixture(autouse=True)
def _nothing_from_outside(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def make_store(folder: Path) -> None:
    (folder / "0").mkdir(parents=True)
    (folder / "0" / "meta.yaml").write_text("experiment_id: '0'\n")


def test_by_default_sqlite_in_the_current_directory(workdir: Path):
    found = resolve_destination(None)
    assert (found.uri, found.chosen_by, found.notice) == (f"sqlite:///{workdir}/mlflow.db", "default", None)


def test_a_folder_with_a_percent_and_a_question_mark_in_its_name(workdir: Path, monkeypatch: pytest.MonkeyPatch):
    folder = workdir / "who? 100%20 ä#"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert make_url(resolve_destination("sqlite:///a%20b.db").uri).database == f"{folder}/a b.db"


def test_config_comes_before_the_environment_and_that_before_the_default(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
):
    make_store(workdir / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there:5000")
    assert resolve_destination("http://here:5000").uri == "http://here:5000"
    found = resolve_destination(None)
    assert (found.uri, found.chosen_by, found.is_server) == ("http://there:5000", "environment", True)


def test_an_existing_file_store_goes_on_being_used_with_a_notice(workdir: Path):
    make_store(workdir / "mlruns")
    found = resolve_destination(None)
    assert found.uri == (workdir / "mlruns").as_uri()
    assert found.is_file_store
    assert found.notice
    assert MIGRATE in found.notice


def test_artifacts_of_runs_in_sqlite_are_no_file_store(workdir: Path):
    (workdir / "mlruns" / "0" / "run" / "artifacts").mkdir(parents=True)
    assert not holds_a_store(workdir / "mlruns")
    assert resolve_destination(None).uri.startswith("sqlite:///")


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:./mlruns", "file:mlruns", "file://./mlruns"])
def test_paths_are_relative_to_the_current_directory(workdir: Path, uri: str):
    found = resolve_destination(uri)
    assert found.uri == (workdir / "mlruns").as_uri()
    assert found.is_file_store


def test_absolute_uris_stay_as_they_are():
    for uri in ("file:///srv/mlruns", "sqlite:////srv/mlflow.db", "postgresql://db/mlflow", "databricks://profile"):
        assert resolve_destination(uri).uri == uri


def test_a_relative_database_keeps_its_query(workdir: Path):
    assert resolve_destination("sqlite:///a.db?timeout=9").uri == f"sqlite:///{workdir}/a.db?timeout=9"


def test_two_slashes_and_a_dot_mean_the_root_which_is_told(workdir: Path):
    found = resolve_destination("file://./mlruns")
    assert found.notice
    assert "means /mlruns, where there is no store" in found.notice


def test_two_slashes_and_a_dot_with_a_store_at_the_root(monkeypatch: pytest.MonkeyPatch):
    """A store at /mlruns can't be made in a test: only the answer to "is one there?" is replaced."""
    monkeypatch.setattr(destination, "holds_a_store", lambda folder: folder == Path("/mlruns"))
    found = resolve_destination("file://./mlruns")
    assert found.uri == "file:///mlruns"
    assert found.notice
    assert "a store is there: using it" in found.notice
