"""A hidden folder beside the target in which everything is made before it gets its name."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracegauge.stores.errors import StoreError


@contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """An empty folder on the disk of `target`, removed at the end.

    What a killed process left in it is cleared. Raises StoreError if another process works there now, or if the disk
    can't be written to.
    """
    folder = target.parent / f".{target.name}.tracegauge"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{folder.parent} can't be written to: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(f"another tracegauge is writing {target} now; wait until it is done") from None
    try:
        _clear(folder)
        yield folder
    finally:
        _clear(folder)
        (folder / "lock").unlink(missing_ok=True)
        folder.rmdir()
        os.close(lock)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name == "lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def check_movable(source: Path, target: Path) -> None:
    """Raises StoreError if a tree can't be moved to `target` because a file there has other content."""
    for path in sorted(source.rglob("*")):
        there = target / path.relative_to(source)
        if path.is_file() and there.exists() and not _same(path, there):
            raise StoreError(
                f"{there} is there already, with other content than the source's artifact; "
                "name another folder with --artifact-root, or move it away"
            )


def move_tree(source: Path, target: Path) -> None:
    """Move a tree into one that may exist; files that are there already are kept (see `check_movable`)."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        return
    for path in source.iterdir():
        if path.is_dir():
            move_tree(path, target / path.name)
        elif not (target / path.name).exists():
            path.rename(target / path.name)


def _same(one: Path, other: Path) -> bool:
    from tracegauge.stores.artifacts import file_digest

    return other.is_file() and one.stat().st_size == other.stat().st_size and file_digest(one) == file_digest(other)
