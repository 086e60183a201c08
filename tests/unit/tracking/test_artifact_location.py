"""Where a new experiment's artifacts go: beside a SQLite database, in a folder that is named like it."""

import pytest

from tracegauge.tracking.experiments import artifact_location


@pytest.mark.parametrize(
    ("uri", "name", "location"),
    [
        ("sqlite:////srv/data/mlflow.db", "agents", "file:///srv/data/mlartifacts/agents"),
        ("sqlite:////srv/data/mlflow.db?timeout=20", "agents", "file:///srv/data/mlartifacts/agents"),
        ("sqlite:////srv/mlflow.db", "../team a/b: c?", "file:///srv/mlartifacts/_team_a_b_c_"),
        ("sqlite:////srv/mlflow.db", "..", "file:///srv/mlartifacts/_"),
        ("sqlite:////srv/mlflow.db", "x" * 500, "file:///srv/mlartifacts/" + "x" * 100),
        ("sqlite:////srv/mlflow.db", "Umläute", "file:///srv/mlartifacts/Uml%C3%A4ute"),
        ("sqlite:///:memory:", "agents", None),
        ("sqlite://", "agents", None),
        ("postgresql://db/mlflow", "agents", None),
        ("http://here:5000", "agents", None),
        ("file:///srv/mlruns", "agents", None),
    ],
)
def test_where_artifacts_go(uri: str, name: str, location: str | None):
    assert artifact_location(uri, name) == location
