"""Errors for people: what is wrong, where, and what would be right."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike


class ConfigError(Exception):
    """Something that a user wrote or named can't be used. On the command line: exit code 3.

    `str()` renders `file:line:column: message`, the hint on a line of its own, and then the other faults that were
    found with this one.
    """

    def __init__(
        self,
        message: str,
        file: str | PathLike[str] | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        others: Sequence["ConfigError"] = (),
    ) -> None:
        """Lines and columns count from 1; `hint` says what would be right; `others` are more faults."""
        super().__init__(message)
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.column = column
        self.hint = hint
        self.others = tuple(others)
        self.path: tuple[str | int, ...] = ()
        """Leads through the keys of a file to the fault, for one who knows the file (`YamlDocument.located`)."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        lines = [f"{place}: {self.message}" if place else self.message]
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join([*lines, *map(str, self.others)])


@contextmanager
def about(*path: str | int) -> Iterator[None]:
    """ConfigErrors that have no place of their own are about what stands at this path of the file."""
    try:
        yield
    except ConfigError as error:
        if error.file is None:
            error.path = error.path or path
        raise


class ConfigWarning(UserWarning):
    """Something in a file of a user has no effect, or not the one that it may seem to have."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known ones, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(repr(one) for one in close)}?"
    return f"known are {', '.join(names)}" if names else "there are none"
