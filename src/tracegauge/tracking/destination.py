"""Where tracking goes: config > `MLFLOW_TRACKING_URI` > an existing `./mlruns` with data > `sqlite:///mlflow.db`."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

DEFAULT_URI = "sqlite:///mlflow.db"
MIGRATE = "tracegauge migrate ./mlruns sqlite:///mlflow.db"


@dataclass(frozen=True)
class Destination:
    """A tracking URI as MLflow should get it."""

    uri: str
    """Absolute, so that a later change of directory does not split a store."""
    chosen_by: Literal["config", "environment", "default"]
    notice: str | None = None
    """What the user should know about the choice."""

    @property
    def is_server(self) -> bool:
        """Whether an HTTP server stands behind it, which can be unreachable."""
        return urlsplit(self.uri).scheme in ("http", "https")

    @property
    def is_file_store(self) -> bool:
        """Whether it is a file store, which MLflow refuses from 3.13 unless asked."""
        return urlsplit(self.uri).scheme in ("", "file")


def resolve_destination(configured: str | None) -> Destination:
    """The destination for a configured tracking URI, or for none. Paths are relative to the current directory."""
    if configured:
        return _absolute(configured, "config")
    if from_environment := os.environ.get("MLFLOW_TRACKING_URI"):
        destination = _absolute(from_environment, "environment")
        if destination.is_file_store and not destination.notice:
            notice = f"MLFLOW_TRACKING_URI names a file store, {from_environment}; SQLite reads faster: `{MIGRATE}`."
            return replace(destination, notice=notice.replace("./mlruns", from_environment))
        return destination
    if holds_a_store(Path("mlruns")):
        return Destination(
            Path("mlruns").resolve().as_uri(),
            "default",
            notice=f"tracking goes on in the existing file store ./mlruns; SQLite reads faster: `{MIGRATE}` moves it.",
        )
    return _absolute(DEFAULT_URI, "default")


def holds_a_store(folder: Path) -> bool:
    """Whether a file store with data is in this folder: an experiment's folder has a meta.yaml.

    (Artifacts of runs in SQLite lie in `./mlruns` too, but without meta.yaml.)
    """
    try:
        return any((entry / "meta.yaml").exists() for entry in folder.iterdir() if entry.name.isdigit())
    except OSError:
        return False


def _absolute(uri: str, chosen_by: Literal["config", "environment", "default"]) -> Destination:
    parts = urlsplit(uri)
    if parts.scheme == "sqlite":
        return Destination(_absolute_sqlite(uri), chosen_by)
    if parts.scheme == "file":
        return _file_uri(uri, chosen_by)
    if not parts.scheme or (os.name == "nt" and len(parts.scheme) == 1):
        return Destination(Path(uri).resolve().as_uri(), chosen_by)
    return Destination(uri, chosen_by)


def _absolute_sqlite(uri: str) -> str:
    prefix, query = "sqlite:///", uri.partition("?")
    path = query[0].removeprefix(prefix)
    if not query[0].startswith(prefix) or path.startswith("/") or path in ("", ":memory:"):
        return uri
    # The path in a database URI is decoded, and ends at a question mark.
    folder = str(Path.cwd()).replace("%", "%25").replace("?", "%3F")
    return f"{prefix}{folder}/{path}{query[1]}{query[2]}"


def _file_uri(uri: str, chosen_by: Literal["config", "environment", "default"]) -> Destination:
    """`file://./mlruns` names the host `.` and the path `/mlruns`: 2.9 and 3.x really mean /mlruns by it.

    Almost nobody who writes it does. Where a store is there it is used; otherwise the path is taken as it was meant.
    """
    parts = urlsplit(uri)
    if parts.netloc in (".", ".."):
        rooted, meant = Path(unquote(parts.path)), Path(parts.netloc + unquote(parts.path))
        if holds_a_store(rooted):
            notice = (
                f"{uri} means {rooted} (not {meant}), and a store is there: using it. Write {rooted.as_uri()} instead."
            )
            return Destination(rooted.as_uri(), chosen_by, notice)
        notice = f"{uri} means {rooted}, where there is no store: using {meant}. Write {meant} or file:{meant} instead."
        return Destination(meant.resolve().as_uri(), chosen_by, notice)
    if not parts.path.startswith("/"):  # file:./mlruns, file:mlruns
        return Destination(Path(unquote(parts.path)).resolve().as_uri(), chosen_by)
    return Destination(uri, chosen_by)
