"""What every test gets: MLflow silent and offline, and no state of one test left for the next."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from tracegauge.config.mlflow_environment import set_mlflow_defaults
from tracegauge.mock_llm import MockProcess, MockScript, running_mock

pytest_plugins = ["pytester"]

# At import, so that it comes before any test module imports MLflow.
set_mlflow_defaults()

# A slow machine is no failure; in CI the same examples are tried every time, so that a red run can be repeated.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory: where MLflow's defaults (./mlruns, ./mlflow.db) are looked for and made."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start_mock_llm() -> Iterator[Callable[[MockScript], MockProcess]]:
    """Starts mock LLMs, each in a process of its own on a free port; they are stopped after the test."""
    with ExitStack() as running:
        yield lambda script: running.enter_context(running_mock(script))


@pytest.fixture(scope="session")
def mock_llm() -> Iterator[MockProcess]:
    """One mock LLM for all tests that need no script: made-up answers at once, and nothing goes wrong."""
    with running_mock(MockScript()) as mock:
        yield mock


@dataclass(frozen=True)
class Server:
    """A real `mlflow server`, that leads a process group of its own."""

    uri: str
    database: Path
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """With all its workers, at once. Harmless where it has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def freeze(self) -> None:
        """It takes connections, as the kernel does for it, and answers no more."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stood; returns when it has answered what has waited meanwhile."""
        os.killpg(self.process.pid, signal.SIGCONT)
        self.wait_until_it_answers(timeout_s=60)

    def wait_until_it_answers(self, timeout_s: float) -> None:
        """Raises TimeoutError where it never does."""
        # Not /health: the first call that needs the store takes seconds.
        search = f"{self.uri}/api/2.0/mlflow/experiments/search?max_results=1"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(search, timeout=30):
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(f"{self.process.args}: ended with {self.process.poll()}, or does not answer")


@pytest.fixture(scope="session")
def running_server() -> Callable[[Path], AbstractContextManager[Server]]:
    """`with running_server(database) as server:` an MLflow server over this SQLite database, on a port of its own."""

    @contextmanager
    def running_server(database: Path) -> Iterator[Server]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}"]
        command += ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING")}
        folder = database.parent
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        server = Server(f"http://127.0.0.1:{port}", database, process)
        try:
            server.wait_until_it_answers(timeout_s=240)
            yield server
        finally:
            server.kill()

    return running_server


@pytest.fixture(autouse=True)
def _restore_process_state() -> Iterator[None]:
    """Put back the current directory, environment variables and MLflow's global state as they were before the test."""
    cwd, environ, mlflow_state = Path.cwd(), dict(os.environ), MlflowState.now()
    yield
    os.chdir(cwd)
    mlflow_state.restore()
    _restore_environ(environ)


def _restore_environ(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        if name != "PYTEST_CURRENT_TEST":
            del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value and name != "PYTEST_CURRENT_TEST":
            os.environ[name] = value


@dataclass(frozen=True)
class MlflowState:
    """MLflow's process-wide settings; MLflow has public setters for them, but no way to ask whether they were set."""

    tracking_uri: str | None = None
    registry_uri: str | None = None
    experiment_id: str | None = None

    @classmethod
    def now(cls) -> "MlflowState":
        """The present settings, without importing MLflow for tests that don't use it."""
        if "mlflow.tracking.fluent" not in sys.modules:
            return cls()
        from mlflow.tracking import fluent
        from mlflow.tracking._model_registry import utils as registry
        from mlflow.tracking._tracking_service import utils as tracking

        return cls(tracking._tracking_uri, registry._registry_uri, fluent._active_experiment_id)

    def restore(self) -> None:
        """Go back to these settings, with no run active, no autolog on and a new tracer provider for the next trace."""
        if "mlflow.tracking.fluent" not in sys.modules:
            return
        import mlflow
        from mlflow.tracing.trace_manager import InMemoryTraceManager
        from mlflow.tracking import fluent
        from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS, autologging_is_disabled

        for integration, settings in AUTOLOGGING_INTEGRATIONS.items():
            if integration != "mlflow" and not autologging_is_disabled(integration):
                getattr(mlflow, integration).autolog(disable=True)
            settings.clear()
        fluent._active_run_stack.get().clear()
        fluent._active_experiment_id = self.experiment_id
        mlflow.tracing.reset()
        InMemoryTraceManager.reset()
        if MlflowState.now().tracking_uri != self.tracking_uri:
            mlflow.set_tracking_uri(self.tracking_uri)
        mlflow.set_registry_uri(self.registry_uri)
