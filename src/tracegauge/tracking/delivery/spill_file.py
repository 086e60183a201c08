"""One file of texts that wait: appended to at its end, read from its front.

Each line is the CRC-32 of a text in eight hexadecimal digits, a space, and the text, which has no line break. A line is
written with one `write` in append mode, so it outlives the process, however that ends, and a signal handler may append
too. The process that has a file open holds a lock on it. A torn line (the process was killed, or the disk was full, in
the middle of it) is passed over.
"""

import errno
import fcntl
import itertools
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_BYTES = 1 << 17
TORN = b"?\n"
"""Ends a line that was torn, and makes sure that its checksum does not fit."""
LINE_OVERHEAD_BYTES = 10 + len(TORN)
"""What a line has at most beside its text: checksum, space, line break, and the end of a torn line before it."""


@dataclass(frozen=True)
class Line:
    """One line of a file."""

    text: str | None
    """None: the line is damaged."""
    end: int
    """Position of the byte after it."""


class SpillFile:
    """A locked file of lines. Every method may raise OSError, as the disk pleases."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._file = descriptor
        self._lock = threading.RLock()
        self._front = 0
        self._synced_bytes = self.size_bytes
        self._torn = os.pread(descriptor, 1, max(0, self.size_bytes - 1)) not in (b"", b"\n")
        self.count, self.damaged = 0, 0
        """Lines that wait, and lines that can't be read."""
        for line in self._lines():
            self.count += line.text is not None
            self.damaged += line.text is None

    @classmethod
    def create(cls, path: Path) -> "SpillFile":
        """A new file."""
        return cls(path, _locked(path, os.O_CREAT | os.O_EXCL))

    @classmethod
    def take_over(cls, path: Path) -> "SpillFile | None":
        """A file that another process left behind; None where that process still has it, or it is gone."""
        try:
            descriptor = _locked(path, 0)
        except (FileNotFoundError, BlockingIOError):
            return None
        if not os.fstat(descriptor).st_nlink:  # whoever had it removed it before we had the lock
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return os.fstat(self._file).st_size

    def append(self, text: str) -> None:
        """Add a line at the end."""
        data = text.encode()
        line = b"%s%08x %s\n" % (TORN if self._torn else b"", zlib.crc32(data), data)
        with self._lock:
            self._torn = True
            if os.write(self._file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._torn = False
            self.count += 1

    def read(self, count: int) -> Sequence[Line]:
        """The intact lines at the front, at most `count`. They stay until they are removed."""
        with self._lock:
            lines = list(itertools.islice((line for line in self._lines() if line.text is not None), count))
            if count and not lines:
                self.count = 0  # somebody else has emptied the file
            return lines

    def remove(self, lines: Sequence[Line]) -> None:
        """Take the lines that `read` returned last from the front."""
        with self._lock:
            self._front = lines[-1].end
            self.count -= len(lines)

    def sync(self) -> None:
        """Have the device itself store what was appended, so that it outlives a power failure too."""
        size_bytes = self.size_bytes
        if self._synced_bytes != size_bytes:
            os.fdatasync(self._file)
            self._synced_bytes = size_bytes

    def close(self) -> None:
        """Unlock the file; remove it where no line waits in it."""
        with self._lock:
            if not self.count:
                self.path.unlink(missing_ok=True)
            os.close(self._file)

    def disown(self) -> None:
        """In a forked child: the file, its lock and its lines belong to the parent."""
        os.close(self._file)

    def _lines(self) -> Iterator[Line]:
        """The lines from the front on, those that are damaged too, but no empty ones, and none that has no end yet."""
        position, rest = self._front, b""
        while chunk := os.pread(self._file, READ_BYTES, position):
            position += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            end = position - len(rest) - sum(len(line) + 1 for line in lines)
            for line in lines:
                end += len(line) + 1
                if line:
                    yield Line(_decode(line), end)


def _decode(line: bytes) -> str | None:
    checksum, _, data = line.partition(b" ")
    return data.decode() if checksum == b"%08x" % zlib.crc32(data) else None


def _locked(path: Path, flags: int) -> int:
    """Open the file and lock it; BlockingIOError where another process has the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
