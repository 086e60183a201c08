"""How far a command has come: on a terminal that somebody watches, and nothing anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def is_watched(console: "Console") -> bool:
    """Whether somebody sees it move; colours that are forced, as in CI, don't make a log a terminal."""
    return console.is_interactive and console.file.isatty()


@contextmanager
def progress_bar(console: "Console", beginning: str) -> Iterator[Callable[[int, int | None, str], None]]:
    """A bar with time left, gone in the end; what is yielded is told how much is done, of how much, and what is done
    now. No total: one that is not known yet.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    words = TextColumn("{task.description}", markup=False)
    with Progress(*columns, words, console=console, transient=True, disable=not is_watched(console)) as bar:
        task = bar.add_task(beginning, total=None)
        yield lambda done, total, step: bar.update(task, completed=done, total=total, description=step)


@contextmanager
def spinner(console: "Console", beginning: str) -> Iterator[Callable[[str], None]]:
    """A sign of life where nobody knows how long it takes; what is yielded is told what is done now."""
    from rich.text import Text

    if not is_watched(console):
        yield lambda _step: None
        return
    with console.status(Text(beginning)) as status:
        yield lambda step: status.update(Text(step))
