"""How much disk a folder takes."""

import os
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 512
"""The unit of `st_blocks`, whatever the filesystem's own block size is (POSIX `stat`)."""


@dataclass(frozen=True)
class DiskUsage:
    """Sizes in bytes."""

    allocated: int
    """Blocks that files and folders take."""
    apparent: int
    """Sum of file lengths."""


def disk_usage(folder: Path) -> DiskUsage:
    """All files and folders below `folder`; a SQLite write-ahead log is a file beside its database and so counts too.

    A file that vanishes while being counted counts nothing.
    """
    allocated = apparent = 0
    for root, _, files in os.walk(folder):
        allocated += Path(root).stat().st_blocks * BLOCK_BYTES
        for name in files:
            try:
                stat = os.lstat(os.path.join(root, name))  # noqa: PTH118 - a hot loop over tens of thousands of files
            except FileNotFoundError:
                continue
            allocated += stat.st_blocks * BLOCK_BYTES
            apparent += stat.st_size
    return DiskUsage(allocated, apparent)
