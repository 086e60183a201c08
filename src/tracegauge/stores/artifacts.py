"""Finds the artifacts that a URI means, wherever the store stands by now, and gives them their place in the target."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from tracegauge.stores.errors import StoreError
from tracegauge.stores.findings import Findings
from tracegauge.stores.locations import has_dot_host, local_path

ArtifactMode = Literal["copy", "link", "keep"]
"""`copy`: files are copied beside the target; `link`: hard links instead of copies, where the disk allows;
`keep`: files stay where they are and only URIs that no longer lead there are rewritten."""

_CHUNK = 1 << 20


class ArtifactTotals(BaseModel):
    """What was done with artifacts."""

    files: int = 0
    """Files copied or linked."""
    bytes: int = 0
    linked: int = 0
    """Of `files`: hard links."""
    uris_rewritten: int = 0
    uris_kept: int = 0
    """URIs that lead outside the store, such as `s3://…`, or that are right as they are."""


@dataclass(frozen=True, slots=True)
class _Found:
    folder: str | None
    """Where the files are; None if they are remote or nowhere."""
    outside: bool
    """Whether they are not part of the store, and so stay where they are."""


class Artifacts:
    """Gives every artifact folder its URI in the target, and brings the files there."""

    def __init__(self, mode: ArtifactMode, staging: Path | None, final: Path, findings: Findings) -> None:
        """`staging` is where files are written now, `final` where they will be; without `staging` none is."""
        self.totals = ArtifactTotals()
        self._mode = mode
        self._staging = staging
        self._final = final
        self._findings = findings
        self._moved: dict[str, str] = {}

    def place(
        self, uri: str | None, folder: str, relative: str, *, files: bool = True, leave: frozenset[str] = frozenset()
    ) -> str:
        """The URI in the target of an artifact folder.

        `folder` is where the store itself keeps it and `relative` its name within a store, such as
        `<experiment>/<run>/artifacts`. With `files`, its files are brought along, except for those named in `leave`.
        Raises StoreError where a file can't be written or does not read back the same.
        """
        found = _find(uri, folder, relative)
        if found.outside:
            self.totals.uris_kept += 1
            assert uri is not None
            return uri
        if found.folder is None and uri is not None and not _is_within_a_store(uri, relative):
            self._findings.noted("artifacts", folder, f"there is nothing at {uri}")
        new = self._new_uri(uri, folder, relative)
        if uri is not None:
            self._moved[str(local_path(uri))] = new
        self.totals.uris_rewritten += new != uri
        self.totals.uris_kept += new == uri
        if files and found.folder is not None and self._mode != "keep":
            self._bring(found.folder, relative, leave)
        return new

    def follow(self, uri: str | None) -> str | None:
        """A URI that leads into an artifact folder, such as a model version's source, as it is in the target."""
        path = local_path(uri) if uri else None
        if uri is None or path is None:
            return uri
        for parent in (path, *path.parents):
            if new := self._moved.get(str(parent)):
                rest = path.relative_to(parent).as_posix()
                return new if rest == "." else f"{new}/{rest}"
        return uri

    def bring_file(self, path: str, relative: str) -> None:
        """Copy or link one more file, to a name within the target's artifacts. Raises StoreError."""
        if self._mode != "keep":
            self._bring_file(path, relative)

    def _new_uri(self, uri: str | None, folder: str, relative: str) -> str:
        if self._mode != "keep":
            return (self._final / relative).as_uri()
        leads_there = uri is not None and not has_dot_host(uri) and local_path(uri) == Path(folder)
        return uri if uri is not None and leads_there else Path(folder).as_uri()

    def _bring(self, folder: str, relative: str, leave: frozenset[str]) -> None:
        for name, path in _files_below(folder, self._findings):
            if name not in leave:
                self._bring_file(path, f"{relative}/{name}")

    def _bring_file(self, path: str, relative: str) -> None:
        try:
            size = os.stat(path).st_size  # noqa: PTH116 - follows links on purpose
            if self._staging is not None:
                target = self._staging / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                self.totals.linked += _link(path, target) if self._mode == "link" else _copy(path, target)
        except _UnreadableArtifactError as error:
            self._findings.skipped("artifact", path, str(error))
            return
        except OSError as error:
            raise StoreError(f"the artifact {path} could not be written: {error.strerror}") from error
        self.totals.files += 1
        self.totals.bytes += size


class _UnreadableArtifactError(Exception):
    pass


def _find(uri: str | None, folder: str, relative: str) -> _Found:
    path = local_path(uri) if uri is not None else None
    inside = os.path.isdir(folder)  # noqa: PTH112
    if uri is None:
        return _Found(folder if inside else None, outside=False)
    if path is None:
        return _Found(None, outside=True)
    if _is_within_a_store(uri, relative) or not path.is_dir():
        return _Found(folder if inside else None, outside=False)
    return _Found(str(path), outside=path != Path(folder))


def _is_within_a_store(uri: str, relative: str) -> bool:
    """Whether a local URI ends as artifacts in a file store do, so that the store's own folder is meant."""
    path = local_path(uri)
    wanted = Path(relative).parts
    return path is not None and path.parts[-len(wanted) :] == wanted


def _files_below(folder: str, findings: Findings, prefix: str = "") -> Iterator[tuple[str, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        findings.skipped("artifact", folder, f"can't be listed: {error.strerror}")
        return
    for entry in entries:
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            findings.skipped("artifact", entry.path, f"leads nowhere: {error.strerror}")
            continue
        if stat.S_ISREG(mode):
            yield prefix + entry.name, entry.path
        elif stat.S_ISDIR(mode) and not entry.is_symlink():
            yield from _files_below(entry.path, findings, f"{prefix}{entry.name}/")
        else:
            what = "a link to a folder" if entry.is_symlink() else "not a regular file"
            findings.skipped("artifact", entry.path, what)


def _link(source: str, target: Path) -> bool:
    """Make a hard link, or a copy where that can't be; returns whether it is a link."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        return _copy(source, target)
    return True


def _copy(source: str, target: Path) -> bool:
    """Copy a file and read it back. Returns False, for it is no link. Raises OSError for the target, StoreError."""
    try:
        reader = open(source, "rb")  # noqa: PTH123, SIM115 - closed by the with below; errors of the two files differ
    except OSError as error:
        raise _UnreadableArtifactError(error.strerror) from error
    digest = hashlib.blake2b()
    with reader, target.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
    if file_digest(target) != digest.digest():
        raise StoreError(f"the copy {target} does not read back as it was written; is the disk sound?")
    return False


def file_digest(path: Path) -> bytes:
    """A hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).digest()
