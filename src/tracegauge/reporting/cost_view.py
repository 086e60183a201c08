"""The cost table as it is shown: columns with headings and units, and each number as text with its interval."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.numbers import MISSING, render_coverage, render_interval, render_signed, render_value
from tracegauge.reporting.tables import OVERHEADS, metrics_of


@dataclass(frozen=True)
class Column:
    """One quantity of the table."""

    quantity: str
    heading: str
    unit: str
    overhead: bool = False
    """Whether it is a difference to `off`, in the frame of overheads."""


@dataclass(frozen=True)
class Number:
    """One value as text."""

    text: str
    interval: str
    coverage: str
    """Blocks that it rests on, of those planned."""
    sound: bool
    """False: no block passed its checks; these are the numbers of those that failed."""
    sort_key: float | None


_MISSING = Number(MISSING, MISSING, MISSING, sound=True, sort_key=None)


def all_columns(data: ReportData) -> list[Column]:
    """Every quantity that some cell has a number of; the overheads stand beside the latency."""
    metrics = [Column(what.name, _short(what.label), what.unit) for what in metrics_of(data.results)]
    shown = [column for column in metrics if column.quantity not in ("traces_lost", "orphan_spans")]
    overheads = [Column(o.quantity, o.label, o.unit, overhead=True) for o in OVERHEADS]
    measured = {
        quantity
        for frame in (data.costs, data.overheads)
        for quantity in frame.dropna(subset="median").index.get_level_values("quantity")
    }
    return [column for column in (*shown[:1], *overheads, *shown[1:]) if column.quantity in measured]


def compact_columns() -> list[Column]:
    """The few that fit a terminal."""
    return [
        Column("latency_p50_ms", "latency p50", "ms"),
        Column("latency_overhead_ms", "over off", "ms", overhead=True),
        Column("cpu_ms_per_invocation", "CPU / inv.", "ms"),
        Column("drain_ms_per_trace", "drain / trace", "ms"),
        Column("bytes_per_trace", "disk / trace", "B"),
    ]


def number_of(data: ReportData, cell: str, column: Column) -> Number:
    """The number of a cell in a column; a dash where it has none."""
    frame = data.overheads if column.overhead else data.costs
    if (cell, column.quantity) not in frame.index:
        return _MISSING
    row: pd.Series = frame.loc[(cell, column.quantity)]
    if np.isnan(row["median"]):
        return _MISSING
    render: Callable[[float], str] = partial(render_signed if column.overhead else render_value, unit=column.unit)
    interval = None if np.isnan(row.low) else (float(row.low), float(row.high))
    return Number(
        text=render(float(row["median"])),
        interval=render_interval(interval, column.unit),
        coverage=render_coverage(int(row.n), int(row.m)),
        sound=bool(row.sound),
        sort_key=float(row["median"]),
    )


def _short(label: str) -> str:
    return label.replace("percentile", "pct.")
