"""Keeps MLflow's account of schemas, a line of log for each of dozens of steps, away from the command line."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow  # noqa: F401 - sets the levels of these logs when it is imported, so it must have been

_LOGS = ("alembic", "mlflow.store.db.utils")


@contextmanager
def schema_steps_untold() -> Iterator[None]:
    """Let these logs tell only warnings and worse."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in _LOGS}
    for log in levels:
        log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for log, level in levels.items():
            log.setLevel(level)
