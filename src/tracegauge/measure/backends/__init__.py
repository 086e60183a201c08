"""Backends: where traces go. Each is a thin adapter that makes fresh stores of one kind."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tracegauge.measure.registry import Registry


class Backend(ABC):
    """A kind of store that lives in a folder of its own."""

    environment: Mapping[str, str] = {}
    """Variables that MLflow needs to open such a store in a process of ours."""

    @abstractmethod
    def tracking_uri(self, folder: Path) -> str:
        """The tracking URI of the store in this (absolute) folder."""

    @abstractmethod
    def create(self, folder: Path) -> None:
        """Make an empty store in this folder, which exists and is empty."""

    @contextmanager
    def server(self) -> Iterator[str | None]:
        """The tracking URI that users configure, while it is there, if it is not the store's own; the store is then
        what tracking falls back to."""
        yield None

    def copy(self, source: Path, target: Path) -> None:
        """Copy a store into a folder that does not exist yet."""
        shutil.copytree(source, target)


BACKENDS: Registry[Backend] = Registry(
    "backend",
    "tracegauge.backends",
    {
        "file": "tracegauge.measure.backends.file:FileBackend",
        "sqlite": "tracegauge.measure.backends.sqlite:SqliteBackend",
        "unreachable": "tracegauge.measure.backends.unreachable:UnreachableBackend",
    },
)


def backend_named(name: str) -> Backend:
    """The backend of that name; ConfigError if there is none."""
    return BACKENDS.get(name)
