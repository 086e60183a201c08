"""The experiment that is tracked into: found by its name, or created."""

import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import mlflow

NAME_LENGTH = 100
"""Of a folder that is named like its experiment; file systems take 255 bytes."""
WAIT_S = 60.0
"""For another process that opens the same database: making a new one takes seconds, on a busy machine many more."""


def find_or_create(tracking_uri: str, name: str) -> str:
    """The id of the experiment with this name in this store; it is created, or restored, if need be.

    Raises whatever MLflow raises.
    """
    with _alone(tracking_uri):
        client = mlflow.MlflowClient(tracking_uri)
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return str(client.create_experiment(name, artifact_location=artifact_location(tracking_uri, name)))
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)


@contextmanager
def _alone(tracking_uri: str) -> Iterator[None]:
    """Let processes open a SQLite database one after the other: two that make its schema at once spoil it for both.

    Where the lock can't be had, such as without a temporary folder, it goes on without: tracking stops nothing.
    """
    if urlsplit(tracking_uri).scheme != "sqlite":
        yield
        return
    name = hashlib.sha256(tracking_uri.encode()).hexdigest()[:16]
    lock = None
    try:
        path = Path(tempfile.gettempdir()) / f"tracegauge-open-{os.getuid()}-{name}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)
    except OSError:
        pass
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def artifact_location(tracking_uri: str, name: str) -> str | None:
    """Where a new experiment's artifacts go: beside a SQLite database; None leaves it to the store.

    MLflow would put them into `./mlruns`, wherever the database is; a file store that was there before would then warn
    of a malformed experiment at each start.
    """
    path = urlsplit(tracking_uri).path.removeprefix("/")
    if urlsplit(tracking_uri).scheme != "sqlite" or path in ("", ":memory:"):
        return None
    folder = re.sub(r"[^\w.-]+", "_", name)[:NAME_LENGTH].lstrip(".") or "_"
    return (Path(path).absolute().parent / "mlartifacts" / folder).as_uri()
