"""Files of labels and verdicts: JSONL or CSV with the columns item, judge, value, order, label, annotator, digest."""

import csv
import difflib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracegauge.config.errors import ConfigError
from tracegauge.config.shipped import find_file
from tracegauge.results.judgement import Value

COLUMNS = ("item", "judge", "value", "order", "label", "annotator", "digest")
ORDERS = ("AB", "BA")
MISSING = ("", "missing", "none", "null", "nan")
"""How a file says that there is no verdict or label."""


@dataclass(frozen=True)
class Row:
    """One line of a file; what it does not say is None."""

    line: int
    item: str
    judge: str | None = None
    value: Value | None = None
    order: str | None = None
    """`AB`: answer A was shown first; `BA`: B was."""
    label: Value | None = None
    annotator: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class LabelFile:
    """A file that was read."""

    path: Path
    columns: frozenset[str]
    rows: tuple[Row, ...]


def read_label_file(path: str | Path) -> LabelFile:
    """Read a `.csv`, `.jsonl` or `.ndjson` file.

    Other columns are left alone. Raises ConfigError with file and line for what is no such file, a column that looks
    misspelt, a row without item, or an order that is neither AB nor BA.
    """
    file = find_file(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("this file is not UTF-8 text", file) from None
    if file.suffix.lower() == ".csv":
        records = list(_csv(text, file))
    elif file.suffix.lower() in (".jsonl", ".ndjson"):
        records = list(_jsonl(text, file))
    else:
        raise ConfigError("labels are read from .csv and .jsonl files", file)
    if not records:
        raise ConfigError("there are no rows in this file", file)
    rows = tuple(_row(data, file, line) for line, data in records)
    return LabelFile(file, frozenset(name for _, data in records for name in data), rows)


def _csv(text: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for name in reader.fieldnames or ():
            _check_column(name, file, 1)
        for row in reader:
            if None in row or None in row.values():
                columns = len(reader.fieldnames or ())
                raise ConfigError(
                    f"this row does not have {columns} columns, as the first line has", file, reader.line_num
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise ConfigError(f"no CSV: {error}", file, reader.line_num) from None


def _jsonl(text: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigError(f"no JSON: {error.msg}", file, number, error.colno) from None
        if not isinstance(data, dict):
            raise ConfigError("a line is a JSON object", file, number, hint='such as {"item": "1", "label": true}')
        for name in data:
            _check_column(name, file, number)
        yield number, data


def _check_column(name: str, file: Path, line: int) -> None:
    """Other columns are no fault, as files have more than we read, but one that looks misspelt is."""
    close = difflib.get_close_matches(name.lower(), COLUMNS, n=1, cutoff=0.7)
    if name not in COLUMNS and close:
        raise ConfigError(f"the column {name!r} is unknown", file, line, hint=f"did you mean {close[0]!r}?")


def _row(data: dict[str, Any], file: Path, line: int) -> Row:
    item = _text(data.get("item"))
    if item is None:
        raise ConfigError("this row has no item", file, line)
    order = _text(data.get("order"))
    if order is not None and order.upper() not in ORDERS:
        raise ConfigError(f"the order {order!r} is neither AB nor BA", file, line, hint="AB: answer A was shown first")
    for name in ("value", "label"):
        if isinstance(data.get(name), dict | list):
            raise ConfigError(f"{name} is no single value", file, line)
    return Row(
        line,
        item,
        _text(data.get("judge")),
        _value(data.get("value")),
        order.upper() if order else None,
        _value(data.get("label")),
        _text(data.get("annotator")),
        _text(data.get("digest")),
    )


def _text(raw: Any) -> str | None:
    text = "" if raw is None else str(raw).strip()
    return text or None


def _value(raw: Any) -> Any:
    if raw is None or str(raw).strip().lower() in MISSING:
        return None
    return raw.strip() if isinstance(raw, str) else raw
