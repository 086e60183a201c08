"""Environment variables that every process of ours sets before it imports MLflow."""

import os

MLFLOW_DEFAULTS = {
    # No telemetry is sent while measuring or testing.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # MLflow fetches its price catalogue from the network; offline, the first flush then hangs for about 8 s.
    "MLFLOW_MODEL_CATALOG_URI": "",
    # MLflow asks git for the commit of the running script at each run; it warns where git is missing.
    "GIT_PYTHON_REFRESH": "quiet",
}


def set_mlflow_defaults() -> None:
    """Set `MLFLOW_DEFAULTS` in this process and those it starts; what the user has set stays."""
    for name, value in MLFLOW_DEFAULTS.items():
        os.environ.setdefault(name, value)
