"""Stores that can't be used: every command over judges says so, soon, without a password, and makes nothing."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.config.errors import ConfigError
from tracegauge.judging.engine.trace_store import first_line
from tracegauge.judging.store_check import usable_store

JUDGE = """\
schema_version: "1.0"
kind: llm
name: good
model: openai:/mock-judge
base_url: http://127.0.0.1:9/v1
instructions: "Is {{ outputs }} a good answer?"
"""
COMMANDS = {
    "run": ("run", "good.yaml"),
    "watch": ("watch", "good.yaml"),
    "status": ("status", "good.yaml"),
    "apply": ("apply", "good.yaml"),
    "compare": ("compare", "version=1", "version=2"),
    "calibrate": ("calibrate", "good.yaml", "--experiment", "x"),
    "audit": ("audit", "good.yaml"),
}
STORES = {
    "http://me:secret@127.0.0.1:9": "the tracking server http://me:…@127.0.0.1:9 refused the connection",
    "postgresql+psycopg2://me:secret@127.0.0.1:9/x": "psycopg2://me:…@127.0.0.1:9/x can't be opened: connection to ",
    "postgresql+psycopg2://me:secret@127.0.0.1:port/x": "psycopg2://me:…@127.0.0.1:port/x can't be opened",
    "postgresql+psycopg2://127.0.0.1:9/x?user=me&password=secret": "user=me&password=… can't be opened: connection to ",
    "htp://me:secret@127.0.0.1:9/x": "htp://me:…@127.0.0.1:9/x can't be opened",
    "./mlruns": "./mlruns is a file store, which judges can't work on",
    "sqlite:///nowhere.db": "nowhere.db",
    "sqlite:///others.db": "sqlite:///others.db is not an MLflow database: it has no schema version",
    "sqlite:///good.yaml": "sqlite:///good.yaml can't be opened: file is not a database",
    "sqlite://": "sqlite:// is no file",
}


@pytest.fixture
def folder(workdir):
    (workdir / "good.yaml").write_text(JUDGE)
    with closing(sqlite3.connect("others.db")) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    return workdir


@pytest.mark.parametrize("uri", STORES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_that_can_not_be_used_is_told_and_its_password_is_not(command, uri, folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigError) as told:
        CliRunner().invoke(judge, [*COMMANDS[command], "--store", uri], standalone_mode=False, catch_exceptions=False)
    assert STORES[uri] in str(told.value)
    assert "secret" not in str(told.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_breaks_later_is_kept_and_shown_without_a_password():
    error = OSError("API request to http://me:secret@host:5000/api/2.0/x failed")
    assert first_line(error) == "API request to http://me:…@host:5000/api/2.0/x failed"


def test_nothing_named_is_what_mlflow_takes(folder, monkeypatch):
    with pytest.raises(ConfigError, match="name the store: --store"):
        usable_store(None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///others.db")
    with pytest.raises(ConfigError, match="is not an MLflow database"):
        usable_store(None)


def test_a_real_command_line_shows_neither_a_password_nor_a_traceback(folder):
    command = [sys.executable, "-m", "tracegauge", "judge", "run", "good.yaml", "--store=http://me:secret@127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3
    assert done.stdout == ""
    assert ("secret" in done.stderr, "Traceback" in done.stderr) == (False, False), done.stderr
    assert done.stderr.splitlines()[-2:] == [  # old versions of libraries warn before
        "error: the tracking server http://me:…@127.0.0.1:9 refused the connection (nothing listens there)",
        "  start it, or correct the URI or the credentials",
    ]
