"""`migrate`, `sync` and `doctor` as commands: what they print and how they exit."""

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import mlflow
import pytest

from tracegauge.cli import app as command_line


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs `tracegauge` in this process; returns its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tracegauge", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            command_line.run()
        printed = capsys.readouterr()
        return end.value.code, printed.out + printed.err

    return run


def test_from_a_file_store_to_a_second_database(run, file_store_29, workdir):
    code, output = run("doctor", file_store_29)
    assert (code, "17 runs" in output, "the store was moved" in output) == (1, True, True)
    code, output = run("migrate", file_store_29, "sqlite:///mlflow.db", "--dry-run")
    assert (code, "17 runs" in output, "would be migrated" in output) == (0, True, True)
    assert list(workdir.iterdir()) == []
    code, output = run("migrate", file_store_29, "sqlite:///mlflow.db")
    assert (code, "18 artifact files migrated and verified" in output) == (0, True)
    report = json.loads((workdir / "mlflow.db.migration.json").read_text())
    assert report["migrated"]["nested runs"] == 9
    code, output = run("migrate", file_store_29, "sqlite:///mlflow.db")
    assert (code, "exists already" in output) == (3, True)
    code, output = run("doctor", "sqlite:///mlflow.db", "--json")
    assert (code, json.loads(output)["holds"]["runs"]) == (0, 17)
    code, output = run("sync", "--from", "sqlite:///mlflow.db", "--to", "sqlite:///second.db", "--prune")
    assert (code, "15 runs copied" in output, "15 pruned" in output) == (0, True, True)
    code, output = run("migrate", "sqlite:///mlflow.db")
    assert (code, "nothing to do" in output) == (0, True)


def test_a_dry_run_lists_everything(run, written_now, tmp_path):
    for number in range(30):
        (tmp_path / "mlruns" / f"stray {number}").mkdir(parents=True)
    (tmp_path / "mlruns" / "0").symlink_to(next(written_now.glob("[0-9]*")))
    code, output = run("migrate", tmp_path / "mlruns", f"sqlite:///{tmp_path}/x.db", "--dry-run")
    assert (code, output.count("/stray ")) == (0, 30)
    code, output = run("migrate", tmp_path / "mlruns", f"sqlite:///{tmp_path}/x.db")
    assert (code, output.count("/stray "), "\n… and " in output) == (0, 20, True)


def test_an_infinite_metric_is_told_as_it_is_written(run, written_now, tmp_path):
    shutil.copytree(written_now, tmp_path / "mlruns")
    metric = next((tmp_path / "mlruns").glob("*/*/metrics/loss"))
    metric.write_text("1700000000000 -inf 0\n1700000000000 inf 1\n")
    _, output = run("migrate", tmp_path / "mlruns", f"sqlite:///{tmp_path}/x.db", "--dry-run")
    assert ": -inf is written as -1.7976931348623157e+308, as MLflow does" in output
    assert ": inf is written as 1.7976931348623157e+308, as MLflow does" in output


def test_a_server_that_is_away_is_given_up(run, fallback):
    code, output = run("sync", "--from", fallback, "--to", "http://127.0.0.1:9", "--give-up-after", "0.1")
    assert (code, "run the same command again to go on" in output) == (4, True)
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("migrate", "./nothing", "sqlite:///x.db"), "there is no folder"),
        (("migrate", "./mlruns"), "a file store needs a target"),
        (("migrate", "./mlruns", "sqlite:///x.db", "--merge", "--overwrite"), "can't both be"),
        (("sync", "--from", "./mlruns", "--to", "http://127.0.0.1:9"), "is a file store"),
        (("sync", "--from", "sqlite:///x.db", "--to", "http://127.0.0.1:9", "--watch", "--prune"), "don't go together"),
        (("doctor", "sqlite:///nowhere.db"), "there is no file"),
    ],
)
def test_wrong_usage(arguments, message, run, workdir):
    code, output = run(*arguments)
    assert (code, message in output) == (3, True), output
    assert list(workdir.iterdir()) == []


_WRONG_URIS = (
    "http://me:secret@127.0.0.1:9",
    "htp://me:secret@127.0.0.1:9/x",
    "postgres://me:secret@127.0.0.1:9/x",
    "postgresql//me:secret@127.0.0.1:9/x",
    "postgresql+psycopg2://me:secret@127.0.0.1:port/x",
    "postgresql+psycopg2://me:secret@127.0.0.1:9/x",
    "postgresql+psycopg2://127.0.0.1:9/x?user=me&password=secret",
)


@pytest.mark.parametrize("uri", _WRONG_URIS)
@pytest.mark.parametrize(
    "command",
    [
        ("migrate", "mlruns", "URI"),
        ("migrate", "URI"),
        ("migrate", "URI", "sqlite:///x.db"),
        ("sync", "--from", "sqlite:///x.db", "--to", "URI", "--give-up-after", "0"),
        ("sync", "--from", "URI", "--to", "sqlite:///x.db"),
        ("doctor", "URI"),
    ],
)
def test_a_wrong_uri_is_told_and_its_password_is_not(command, uri, run, written_now, workdir):
    (workdir / "mlruns").symlink_to(written_now)
    code, output = run(*(uri if word == "URI" else word for word in command))
    assert code in (1, 3, 4), output
    assert ("secret" in output, "Traceback" in output) == (False, False), output


@pytest.mark.parametrize("database", ["empty", "another's"])
def test_only_mlflows_databases_are_merged_into(database, run, written_now, workdir):
    with closing(sqlite3.connect(workdir / "x.db")) as connection:
        if database != "empty":
            connection.execute("CREATE TABLE mine (id INTEGER)")
    code, output = run("migrate", written_now, "sqlite:///x.db", "--merge")
    assert (code, "is not an MLflow database" in output) == (3, True), output
    assert [path.name for path in workdir.iterdir()] == ["x.db"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["migrate", "sync"])
def test_progress_is_for_terminals(command, written_now, fallback, tmp_path):
    def arguments(target: str) -> list[str]:
        words = [str(written_now), target] if command == "migrate" else ["--from", fallback, "--to", target]
        return [sys.executable, "-m", "tracegauge", command, *words]

    written = subprocess.run(arguments(f"sqlite:///{tmp_path}/a.db"), capture_output=True, check=True)
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(arguments(f"sqlite:///{tmp_path}/b.db"), stdout=end, stderr=end, env=environment) as process:
        os.close(end)
        shown = b""
        with suppress(OSError):  # Linux says so that the other end is closed
            while content := os.read(terminal, 10_000):
                shown += content
    os.close(terminal)
    assert process.returncode == 0
    done = "artifact files migrated and verified" if command == "migrate" else "artifact files copied"
    for output, bar in (((written.stdout + written.stderr).decode(), False), (shown.decode(), True)):
        assert (done in output, "━" in output) == (True, bar)


@pytest.mark.slow
def test_watching_takes_along_what_comes_later(fallback, tmp_path):
    home = f"sqlite:///{tmp_path}/home.db"
    command = [sys.executable, "-m", "tracegauge", "sync", "--from", fallback, "--to", home, "--watch"]
    with subprocess.Popen([*command, "--interval", "0.1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert any(line.startswith("2 runs copied") for line in process.stdout)
            assert any(line.startswith("0 runs copied, 0 updated, 2 there already") for line in process.stdout)
            client = mlflow.MlflowClient(fallback)
            client.create_run(client.get_experiment_by_name("agents ä").experiment_id, run_name="late")
            assert any(line.startswith("1 runs copied") for line in process.stdout)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()
    client = mlflow.MlflowClient(home)
    names = [
        run.info.run_name for run in client.search_runs([one.experiment_id for one in client.search_experiments()])
    ]
    assert names.count("late") == 1
