"""The experiment that is tracked into: found by its name, or created."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import mlflow

NAME_LENGTH = 100
"""Of a folder that is named like its experiment; file systems take 255 bytes."""


def find_or_create(tracking_uri: str, name: str) -> str:
    """The id of the experiment with this name in this store; it is created, or restored, if need be.

    Raises whatever MLflow raises.
    """
    client = mlflow.MlflowClient(tracking_uri)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name, artifact_location=artifact_location(tracking_uri, name)))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


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
