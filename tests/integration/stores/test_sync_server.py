"""A fallback store goes home to a real `mlflow server`, which is killed, restarted and broken on the way."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tracegauge.stores.errors import StoreError
from tracegauge.stores.sync import SyncOptions, sync

pytestmark = pytest.mark.slow
SOURCE_TAG = "tracegauge.source_run_id"


class Server:
    """A real `mlflow server` on a port of its own, with its database and artifacts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder}/mlflow.db"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", self.database]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING")}
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                url = f"{self.uri}/api/2.0/mlflow/experiments/search?max_results=1"
                with urllib.request.urlopen(url, timeout=30) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.3)
        pytest.fail("mlflow server did not start")

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder)
    server.start()
    yield server
    server.kill()


def assert_once(fallback_snapshot, server: Server, read_store) -> None:
    """Each active run and each trace of the fallback is on the server once, with what belongs to it."""
    home = read_store(server.database)
    wanted = {run_id: run for run_id, run in fallback_snapshot["runs"].items() if run["stage"] == "active"}
    copies = [run["tags"][SOURCE_TAG] for run in home["runs"].values()]
    assert sorted(copies) == sorted(wanted)
    ids = {run["tags"][SOURCE_TAG]: run_id for run_id, run in home["runs"].items()}
    for source_id, run in wanted.items():
        copy = home["runs"][ids[source_id]]
        for key in ("name", "status", "times", "params", "metrics"):
            assert copy[key] == run[key]
        if parent := run["tags"].get("mlflow.parentRunId"):
            assert copy["tags"]["mlflow.parentRunId"] == ids[parent]
        # From the server's disk: MLflow 3.9 resets the connection when a file with such a name is downloaded.
        folder = server.folder / "mlartifacts" / copy["experiment"] / ids[source_id] / "artifacts"
        stored = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert stored == run["artifacts"]
    assert home["traces"].keys() == fallback_snapshot["traces"].keys()
    for trace_id, trace in fallback_snapshot["traces"].items():
        copy = home["traces"][trace_id]
        for key in ("times", "state", "spans", "assessments"):
            assert copy[key] == trace[key], key
        if source_run := trace["metadata"].get("mlflow.sourceRun"):
            assert copy["metadata"]["mlflow.sourceRun"] == ids[source_run]


def test_killed_and_restarted_in_the_middle(server, fallback, read_store):
    before = read_store(fallback)
    pauses = []

    def kill_after_the_first_run(done: int, total: int, kind: str) -> None:
        assert total == 2 + 3
        if (kind, done) == ("runs", 1):
            server.kill()
            threading.Timer(2, lambda: server.start(wait=False)).start()

    options = SyncOptions(
        on_progress=kill_after_the_first_run,
        on_pause=lambda reason, seconds: pauses.append(reason),
        give_up_after_s=180,
    )
    report = sync(fallback, server.uri, options)
    assert pauses, "the server was away, and nobody noticed"
    assert report.complete, report.findings
    assert (report.runs.copied, report.traces.copied) == (2, 3)
    assert_once(before, server, read_store)
    again = sync(fallback, server.uri)
    assert (again.runs.unchanged, again.traces.unchanged, again.artifacts) == (2, 3, 0)
    assert_once(before, server, read_store)


def test_sync_itself_is_killed_and_repeated(server, fallback, read_store):
    before = read_store(fallback)
    code = (
        "import sys; from tracegauge.stores.sync import SyncOptions, sync\n"
        "sync(sys.argv[1], sys.argv[2], SyncOptions(on_progress=lambda *step: print(step, flush=True)))"
    )
    for lines in (1, 2, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", code, fallback, server.uri], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        process.wait(60)
    assert sync(fallback, server.uri).complete
    assert_once(before, server, read_store)


class Proxy:
    """Passes requests on to a server, except where `fault` says otherwise."""

    def __init__(self, port: int, fault: Callable[[str, str, int], str | None]) -> None:
        """`fault` gets method, path and number of a request: `500` answers so, `lost` carries it out and hangs up."""
        proxy = self
        self.seen = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                proxy.seen += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                what = fault(self.command, self.path, proxy.seen)
                if what == "500":
                    self.send_response(500)
                    self.send_header("Content-Length", "4")
                    self.end_headers()
                    self.wfile.write(b"oops")
                    return
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
                headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if what == "lost":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for key, value in answer.getheaders():
                    if key.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def test_answers_that_are_500_or_lost_double_nothing(server, fallback, read_store):
    """Every third request fails: by turns it is not carried out, or it is and nobody is told."""

    def fault(method: str, path: str, number: int) -> str | None:
        return {0: "500", 3: "lost"}.get(number % 6)

    before = read_store(fallback)
    proxy = Proxy(server.port, fault)
    try:
        report = sync(fallback, proxy.uri, SyncOptions(give_up_after_s=120))
    finally:
        proxy.close()
    assert report.complete, report.findings
    assert_once(before, server, read_store)


def test_a_server_that_stays_broken_is_given_up_and_nothing_is_lost(server, fallback, read_store):
    before = read_store(fallback)
    proxy = Proxy(server.port, lambda method, path, number: "500" if number > 25 else None)
    try:
        with pytest.raises(StoreError, match=r"given up after \d+ s"):
            sync(fallback, proxy.uri, SyncOptions(give_up_after_s=3))
    finally:
        proxy.close()
    report = sync(fallback, server.uri)
    assert report.complete, report.findings
    assert_once(before, server, read_store)


def test_what_is_no_mlflow_server_is_refused_at_once(fallback):
    proxy = Proxy(1, lambda method, path, number: "500")
    proxy.close()
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"nothing listens|given up"):
        sync(fallback, proxy.uri, SyncOptions(give_up_after_s=1))
    assert time.monotonic() - started < 60
