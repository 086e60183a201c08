"""Every command of docs/MLFLOW_MIGRATION.md does what the guide says, in the order in which it stands there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mlflow
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a process for each command
GUIDE = Path(__file__).parents[3] / "docs" / "MLFLOW_MIGRATION.md"


def commands(section: str) -> list[str]:
    (text,) = re.findall(rf"^## {section}$(.*?)(?=^## )", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def shell(tmp_path):
    """Runs the guide's lines in an empty folder; servers get a free port and are ended with the test."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, start in (("tracegauge", "-m tracegauge"), ("mlflow", "-m mlflow")):
        (binaries / name).write_text(f'#!/bin/sh\nexec {sys.executable} {start} "$@"\n')
        (binaries / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
    folder = tmp_path / "project"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    servers: list[subprocess.Popen[bytes]] = []

    def run(line: str) -> str:
        line = line.replace("5000", port)
        if line.startswith("mlflow server"):
            line += " --host 127.0.0.1 --workers 1"
            with (tmp_path / "server.txt").open("wb") as log:
                servers.append(
                    subprocess.Popen(
                        ["/bin/sh", "-c", f"exec {line}"],
                        cwd=folder,
                        env=environment,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
            wait_for(f"http://127.0.0.1:{port}/health")
            return ""
        done = subprocess.run(
            line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    run.folder = folder
    yield run
    for server in servers:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"{url} does not answer")


def test_file_store(shell, file_store_29):
    shutil.copytree(file_store_29, shell.folder / "mlruns")
    outputs = {line: shell(line) for line in commands("File store")}
    assert "17 runs" in outputs["tracegauge migrate ./mlruns sqlite:///mlflow.db"]
    assert "there already: 4 experiments" in outputs["tracegauge migrate ./mlruns sqlite:///mlflow.db --merge"]
    assert len(list(shell.folder.glob("mlflow.db.backup-*"))) == 2
    assert (shell.folder / "mlflow.db.unused").exists()


def test_sqlite(shell, sqlite_29):
    shutil.copytree(sqlite_29.parent, shell.folder, dirs_exist_ok=True)
    old = (shell.folder / "mlflow.db").read_bytes()
    for line in commands("SQLite"):
        shell(line)
        if line.endswith("sqlite:///mlflow.db") and "migrate" in line:
            assert (shell.folder / "mlflow.db").read_bytes() != old
    assert len((shell.folder / "mlflow.db").read_bytes()) == len(old)


def test_server(shell, file_store_29):
    shutil.copytree(file_store_29, shell.folder / "mlruns")
    shell("tracegauge migrate ./mlruns sqlite:///mlflow.db")
    shell("mlflow server --backend-store-uri sqlite:///server.db --port 5000")
    first, second = (shell(line) for line in commands("Server"))
    assert "15 runs copied" in first
    assert "0 runs copied, 0 updated, 15 there already" in second
    copies = mlflow.MlflowClient(f"sqlite:///{shell.folder}/server.db").search_experiments()
    assert "configurable_agents" in {one.name for one in copies}
