"""Files that come with tracegauge: examples, campaigns and judges."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from tracegauge.config.errors import ConfigError

KINDS = ("examples", "bench", "judges")

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder(kind: str) -> Path:
    """Where shipped files of a kind (`examples`, `bench`, `judges`) are: inside an installed package, or in its
    repository when it is installed from there for development."""
    installed = _PACKAGE / "shipped" / kind
    return installed if installed.is_dir() else _PACKAGE.parent.parent / kind


def find_file(reference: str | Path) -> Path:
    """The file of this name in the current directory; else, for `examples/…`, `bench/…`, `judges/…`, the shipped one.

    Raises ConfigError that says where it was looked for and what has a similar name.
    """
    path = Path(reference).expanduser()
    if path.exists():
        return path
    if path.parts and path.parts[0] in KINDS:
        shipped = shipped_folder(path.parts[0]).joinpath(*path.parts[1:])
        if shipped.exists():
            return shipped
    near = difflib.get_close_matches(str(path), [*_files_beside(path), *_shipped_files()], n=3, cutoff=0.6)
    where = f"in {Path.cwd()}" if not path.is_absolute() else f"at {path}"
    raise ConfigError(
        f"there is no file {str(path)!r} {where}, nor one that comes with tracegauge",
        hint=f"did you mean {' or '.join(near)}?" if near else "name a file that exists",
    )


def _files_beside(path: Path) -> Iterator[str]:
    if path.parent.is_dir():
        yield from (str(path.parent / file.name) for file in path.parent.iterdir())


def _shipped_files() -> Iterator[str]:
    for kind in KINDS:
        for suffix in ("yaml", "json"):
            for file in sorted(shipped_folder(kind).rglob(f"*.{suffix}")):
                yield str(Path(kind) / file.relative_to(shipped_folder(kind)))
