"""The software that worker processes run on."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Software:
    """An interpreter with the packages that it finds, and where the code that it measures lies."""

    interpreter: str = sys.executable
    folder: Path | None = None
    """The current directory of workers, which relative paths in a campaign start from; None: this process's own."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that are added to this process's own."""


HERE = Software()
"""What this process runs on itself."""
