"""The folder of parcels on disk: those that no store has taken yet, and that memory has no room for."""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tracegauge.tracking.delivery.spill_file import LINE_OVERHEAD_BYTES, Line, SpillFile

logger = logging.getLogger("tracegauge.tracking")

FILE_BYTES = 32 << 20
"""A file that has grown to this size is followed by a new one, so that drained ones can be removed."""


class Spill:
    """A bounded first-in, first-out store of texts, in files of this process and of processes that have ended."""

    def __init__(self, folder: Path, tracking_uri: str, max_bytes: int) -> None:
        self._folder = folder
        # Names the store that the parcels are for, without writing down its URI, which may hold a password.
        self._prefix = hashlib.sha256(tracking_uri.encode()).hexdigest()[:12]
        self._max_bytes = max_bytes
        self._files: list[SpillFile] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Texts that wait."""
        return sum(file.count for file in list(self._files))

    def take_over(self) -> int:
        """Add the files that ended processes left for this store; returns how many of their lines are damaged."""
        if not self._folder.is_dir():
            return 0
        with self._lock:
            own = {file.path for file in self._files}
            found = [
                file
                for path in sorted(self._folder.glob(f"{self._prefix}-*.spill"))
                if path not in own and (file := SpillFile.take_over(path))
            ]
            self._files[:0] = found
            return sum(file.damaged for file in found)

    def append(self, text: str) -> str | None:
        """Add a text at the end; returns why it could not be added, or None."""
        with self._lock:
            taken = sum(file.size_bytes for file in self._files)
            if taken + len(text.encode()) + LINE_OVERHEAD_BYTES > self._max_bytes:
                return f"the spill files in {self._folder} have reached {self._max_bytes >> 20} MiB"
            try:
                self._file_for_appending().append(text)
            except OSError as error:
                return f"{self._folder}: {error.strerror}"
        return None

    def _file_for_appending(self) -> SpillFile:
        if not self._files or self._files[-1].size_bytes >= FILE_BYTES:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._prefix}-{time.time_ns():x}-{os.getpid()}.spill"
            self._files.append(SpillFile.create(path))
        return self._files[-1]

    def read(self, count: int) -> tuple[SpillFile, Sequence[Line]] | None:
        """The first lines, all of one file; None where nothing waits."""
        with self._lock:
            return next(((file, lines) for file in self._files if file.count and (lines := file.read(count))), None)

    def remove(self, file: SpillFile, lines: Sequence[Line]) -> None:
        """These lines, which `read` returned last, are in a store."""
        with self._lock:
            file.remove(lines)
            if not file.count:
                self._files.remove(file)
                file.close()

    def sync(self) -> None:
        """Have the device store what was appended."""
        for file in list(self._files):
            file.sync()

    def close(self) -> None:
        """Leave the files to the next process."""
        with self._lock:
            while self._files:
                file = self._files.pop()
                file.sync()
                file.close()

    def disown(self) -> None:
        """In a forked child: forget the parent's files, and its lock."""
        for file in self._files:
            file.disown()
        self._files, self._lock = [], threading.RLock()
