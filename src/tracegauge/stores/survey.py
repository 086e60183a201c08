"""Finds everything in a file store, and tells whether any of it was changed since."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from tracegauge.config.errors import ConfigError
from tracegauge.stores.entities import Kind
from tracegauge.stores.findings import Findings
from tracegauge.stores.locations import has_dot_host, local_path
from tracegauge.tracking.destination import resolve_destination
from tracegauge.tracking.server_check import without_password

TRASH = ".trash"
MODELS = "models"
META = "meta.yaml"
RESERVED = frozenset({"tags", "datasets", "traces", MODELS, TRASH})
"""Folders of an experiment that are not runs."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of the store that holds one thing."""

    kind: Kind
    path: str
    fingerprint: bytes
    """Changes when a file in it is added, removed or written to."""


@dataclass(frozen=True)
class ExperimentPlaces:
    """An experiment's folder and those of everything in it."""

    place: Place
    in_trash: bool
    has_meta: bool
    datasets: tuple[Place, ...]
    runs: tuple[Place, ...]
    logged_models: tuple[Place, ...]
    traces: tuple[Place, ...]

    @property
    def inside(self) -> tuple[Place, ...]:
        """Everything in the experiment."""
        return (*self.datasets, *self.runs, *self.logged_models, *self.traces)


@dataclass(frozen=True)
class Survey:
    """Everything that a file store holds, by folder."""

    root: str
    experiments: tuple[ExperimentPlaces, ...]
    registered_models: tuple[Place, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """All folders that hold something."""
        experiments = (place for experiment in self.experiments for place in (experiment.place, *experiment.inside))
        return (*experiments, *self.registered_models)

    def changes_since(self, earlier: "Survey") -> list[str]:
        """The folders that were added, removed or written to since an earlier survey."""
        before = {place.path: place.fingerprint for place in earlier.places}
        after = {place.path: place.fingerprint for place in self.places}
        return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def find_file_store(source: str) -> Path:
    """The root folder of the file store that a path or `file:` URI names; a folder that holds `mlruns` names that.

    Raises ConfigError where there is none.
    """
    if has_dot_host(source):
        # As the tracker takes it: /mlruns, as the URI says, if a store is there, else ./mlruns as it was meant.
        source = resolve_destination(source).uri
    path = local_path(source)
    if path is None or without_password(source) != source:
        raise ConfigError(
            f"{without_password(source)} is neither a folder nor an SQLite database",
            hint="migrate reads ./mlruns or sqlite:///old.db; to copy from a server, use `tracegauge sync`",
        )
    path = path.absolute()
    if not path.is_dir():
        raise ConfigError(f"there is no folder {path}", hint="name the folder of a file store, such as ./mlruns")
    for candidate in (path, path / "mlruns"):
        if _is_store(candidate):
            return candidate
    raise ConfigError(
        f"{path} is not an MLflow file store: it holds no folder named by a number with meta.yaml in it",
        hint="name the folder that holds the experiments, usually ./mlruns",
    )


def _is_store(folder: Path) -> bool:
    try:
        names = {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise ConfigError(f"{folder} can't be read: {error.strerror}", hint="run as a user who may read it") from error
    return TRASH in names or any(name.isdigit() and (folder / name / META).exists() for name in names)


def survey_store(root: Path, findings: Findings) -> Survey:
    """Find everything in a file store. What is not part of one, or can't be read, becomes a finding."""
    return _Surveyor(findings).survey(str(root))


class _Surveyor:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def survey(self, root: str) -> Survey:
        experiments = [*self._experiments(root, in_trash=False), *self._experiments(f"{root}/{TRASH}", in_trash=True)]
        return Survey(root, tuple(experiments), self._places("registered model", f"{root}/{MODELS}"))

    def _experiments(self, root: str, *, in_trash: bool) -> list[ExperimentPlaces]:
        found = []
        for entry in self._entries(root):
            if entry.name in (TRASH, MODELS):
                continue
            if not entry.is_dir():
                self._findings.skipped("file", entry.path, "not part of a file store")
                continue
            experiment = self._experiment(entry.path, in_trash=in_trash)
            if experiment.has_meta or experiment.inside:
                found.append(experiment)
            else:
                reason = "no experiment: no meta.yaml, and nothing in it that looks like a run"
                self._findings.skipped("folder", entry.path, reason)
        return found

    def _experiment(self, path: str, *, in_trash: bool) -> ExperimentPlaces:
        digest = hashlib.blake2b(digest_size=16)
        names = {entry.name: entry for entry in self._entries(path)}
        if META in names:
            _fold_file(digest, names[META])
        self._fold(digest, f"{path}/tags")
        runs = []
        for name, entry in names.items():
            if name in RESERVED or name == META:
                continue
            if entry.is_dir() and self._looks_like_run(entry.path):
                runs.append(self._place("run", entry.path))
            else:
                self._findings.skipped("folder" if entry.is_dir() else "file", entry.path, "not part of an experiment")
        return ExperimentPlaces(
            Place("experiment", path, digest.digest()),
            in_trash,
            META in names,
            datasets=self._places("dataset", f"{path}/datasets"),
            runs=tuple(runs),
            logged_models=self._places("logged model", f"{path}/{MODELS}"),
            traces=self._places("trace", f"{path}/traces"),
        )

    def _looks_like_run(self, path: str) -> bool:
        names = {entry.name for entry in self._entries(path)}
        return bool(names & {META, "params", "metrics"})

    def _places(self, kind: Kind, folder: str) -> tuple[Place, ...]:
        places = []
        for entry in self._entries(folder):
            if entry.is_dir():
                places.append(self._place(kind, entry.path))
            else:
                self._findings.skipped("file", entry.path, f"not part of a {kind}")
        return tuple(places)

    def _place(self, kind: Kind, path: str) -> Place:
        digest = hashlib.blake2b(digest_size=16)
        self._fold(digest, path)
        return Place(kind, path, digest.digest())

    def _fold(self, digest: "hashlib.blake2b", folder: str) -> None:
        for entry in self._entries(folder):
            if entry.is_dir(follow_symlinks=False):
                digest.update(os.fsencode(entry.name) + b"/")
                self._fold(digest, entry.path)
            else:
                _fold_file(digest, entry)

    def _entries(self, folder: str) -> list["os.DirEntry[str]"]:
        try:
            return sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._findings.skipped("folder", folder, f"can't be listed: {error.strerror}")
            return []


def _fold_file(digest: "hashlib.blake2b", entry: "os.DirEntry[str]") -> None:
    # Not the time of the last change of status: making a hard link to a file (--artifacts link) moves it.
    digest.update(os.fsencode(entry.name) + b"\0")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # removed since it was listed, or in a folder that may be listed and no more
        return
    digest.update(b"%d %d %d\n" % (status.st_size, status.st_mtime_ns, status.st_ino))
