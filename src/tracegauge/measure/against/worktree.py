"""The code of a revision in a folder of its own, which goes away again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracegauge.config.errors import ConfigError
from tracegauge.measure.against.reference import Revision


@contextmanager
def checked_out(revision: Revision, folder: Path) -> Iterator[Path]:
    """Check the revision out into `folder`, which does not exist yet, as a git worktree; it is removed afterwards.

    The user's own checkout and index are not touched. Raises ConfigError where git can't.
    """
    _git(revision.repository, "worktree", "prune")  # of what an earlier, killed run left
    _git(revision.repository, "worktree", "add", "--quiet", "--force", "--detach", str(folder), revision.commit)
    try:
        yield folder
    finally:
        _git(revision.repository, "worktree", "remove", "--force", str(folder))


def _git(repository: Path, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigError(f"git {' '.join(arguments[:2])} failed in {repository}: {done.stderr.strip()}")
