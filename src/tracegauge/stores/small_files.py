"""Reads the small files that a file store is made of, and says what is wrong with them instead of failing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tracegauge.stores.findings import Findings

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

LARGEST_INTEGER = 2**63 - 1
"""What a database's integer holds."""
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave behind; in a folder of tags they would read as tags."""


class UnreadableFileError(Exception):
    """A file that holds nothing that can be used; the message says why."""


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One line of a metric's file."""

    timestamp: int
    """Milliseconds since 1970."""
    value: float
    step: int
    rest: tuple[str, ...] = ()
    """What stands behind the step: the run and dataset of a logged model's metric."""


def read_bytes(path: str) -> bytes:
    """Read a whole file. Raises UnreadableFileError with the reason."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the hot path: 200,000 files in a large store
            return file.read()
    except OSError as error:
        raise UnreadableFileError(error.strerror or str(error)) from error


def read_text(path: str, kind: str, findings: Findings) -> str:
    r"""Read a text exactly as it is; bytes that are not UTF-8 become `\xNN`, which is a finding.

    Raises UnreadableFileError.
    """
    content = read_bytes(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        findings.changed(kind, path, f"not UTF-8 at byte {error.start}; such bytes are written as \\xNN")
        return content.decode(errors="backslashreplace")


def read_yaml(path: str) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Raises UnreadableFileError."""
    content = read_bytes(path)
    if not content.strip():
        raise UnreadableFileError("the file is empty")
    try:
        data = yaml.load(content, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableFileError("not valid YAML: " + " ".join(str(error).split())) from error
    if not isinstance(data, dict):
        raise UnreadableFileError("holds no mapping")
    return data


def walk_files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (key, path) for all files below a folder; `a/b` is the key of file `b` in folder `a`."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # none there, or one that may not be listed: that is found by the survey
        return
    for entry in entries:
        if entry.is_dir():
            for key, path in walk_files(entry.path):
                yield f"{entry.name}/{key}", path
        else:
            yield entry.name, entry.path


def read_key_values(folder: str, kind: str, findings: Findings) -> dict[str, str]:
    """Read a folder of params or tags: a file each, its path is the key and its content the value."""
    values = {}
    for key, path in walk_files(folder):
        if key.rpartition("/")[2] in LITTER:
            findings.skipped("litter", path, "left by a file manager")
            continue
        try:
            values[_utf8_name(key, kind, path, findings)] = read_text(path, kind, findings)
        except UnreadableFileError as error:
            findings.skipped(kind, path, str(error))
    return values


def read_metrics(folder: str, findings: Findings) -> dict[str, list[MetricPoint]]:
    """Read a folder of metrics; exact duplicates of a point are left out, which a database would refuse."""
    metrics = {}
    for key, path in walk_files(folder):
        if key.rpartition("/")[2] in LITTER:
            findings.skipped("litter", path, "left by a file manager")
            continue
        if points := read_metric_file(path, findings):
            metrics[_utf8_name(key, "metric", path, findings)] = points
    return metrics


def read_metric_file(path: str, findings: Findings) -> list[MetricPoint]:
    """Read the points of one metric in the order in which they were logged."""
    try:
        text = read_text(path, "metric", findings)
    except UnreadableFileError as error:
        findings.skipped("metric", path, str(error))
        return []
    # A dict, because NaN does not equal itself: the texts of the lines are compared, not the numbers.
    points: dict[tuple[int, str, int, tuple[str, ...]], MetricPoint] = {}
    lines = text.split("\n")
    duplicates, last = 0, 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            point = _metric_point(line)
        except ValueError:
            findings.skipped("metric line", f"{path}:{number}", f"not `timestamp value step`: {line[:80]!r}")
            continue
        key = (point.timestamp, repr(point.value), point.step, point.rest)
        last = number
        duplicates += key in points
        points[key] = point
    if not text.strip():
        findings.skipped("metric", path, "the file is empty")
    elif last == len(lines):
        findings.noted("metric line", f"{path}:{last}", "no line break at its end: its last number may be cut short")
    if duplicates:
        findings.changed("metric line", path, "exact duplicates of a point are written once", duplicates)
    return list(points.values())


def _metric_point(line: str) -> MetricPoint:
    parts = line.split()
    if len(parts) < 2:
        raise ValueError(line)
    timestamp, step = int(parts[0]), int(parts[2]) if len(parts) > 2 else 0
    if max(abs(timestamp), abs(step)) > LARGEST_INTEGER:
        raise ValueError(line)
    return MetricPoint(timestamp, float(parts[1]), step, tuple(parts[3:]))


def _utf8_name(key: str, kind: str, path: str, findings: Findings) -> str:
    """A file name as text; what is not UTF-8 in it can't be a key in a database."""
    try:
        key.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(key).decode(errors="backslashreplace")
        findings.changed(kind, os.fsencode(path).decode(errors="backslashreplace"), "its name is not UTF-8")
        return shown
    return key
