"""Throughput, and traces lost, against the number of concurrent callers."""

import pandas as pd

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.lines import Axis, LinePanel, Series, dashes_of, line_chart
from tracegauge.reporting.figures.rows import PART_LIMIT
from tracegauge.reporting.figures.style import elide
from tracegauge.reporting.numbers import render_plain
from tracegauge.results import Cell

TITLE = "Under load: throughput, and what is lost"
_PANELS = (
    LinePanel("throughput", "invocations per second", "median over blocks, 1/s"),
    LinePanel("lost", "traces lost, all blocks", "traces lost, %", log=False),
)


def draw(data: ReportData) -> Drawing:
    """A line per instrument, backend and delivery: colour by instrument, dashes by backend and delivery."""
    points = _points(data)
    cells = [cell for cell in data.results.cells.values() if cell.control is None]
    loads = sorted({cell.concurrency for cell in cells})
    if len(loads) < 2 or points.empty:
        return Drawing(None, "Loss over load takes cells of more than one concurrency with numbers.")
    axis = Axis("callers at once", loads, [render_plain(load) for load in loads])
    stores = {_series(cell): f"{cell.backend} {cell.delivery}" for cell in cells if cell.backend}
    dashes = dashes_of(list(stores.values()))
    series = {
        _series(cell): Series(
            _series(cell), data.style(cell.id).colour, data.style(cell.id).marker, dashes(stores.get(_series(cell)))
        )
        for cell in cells
    }
    return Drawing(line_chart(data.titled(TITLE), points, series, _PANELS, axis), _finding(points))


def _points(data: ReportData) -> pd.DataFrame:
    throughput = values_of(data.costs, "throughput_per_s")
    rows = []
    for name in data.drawn:
        cell, loss = data.results.cells[name], data.losses.loc[name]
        if cell.control is not None:  # it would be a second point of a line
            continue
        at = {"workflow": cell.workflow, "series": _series(cell), "x": cell.concurrency}
        if name in throughput.index:
            rows.append({**at, "what": "throughput", **throughput.loc[name, ["median", "low", "high", "sound"]]})
        if loss.made:
            share = 100 * loss.lost / loss.made
            rows.append({**at, "what": "lost", "median": share, "low": share, "high": share, "sound": True})
    return pd.DataFrame(rows)


def _series(cell: Cell) -> str:
    parts = (cell.instrument, cell.backend, cell.delivery, cell.environment)
    return " · ".join(elide(part, PART_LIMIT) for part in parts if part)


def _finding(points: pd.DataFrame) -> str:
    most = points["x"].max()
    lost = points[(points["what"] == "lost") & (points["x"] == most) & (points["median"] > 0)]
    if lost.empty:
        return f"With {most} callers at once no trace was lost."
    worst = lost.sort_values("median").iloc[-1]
    return f"With {most} callers at once, {worst.series} lost {worst['median']:.1f}% of its traces ({worst.workflow})."
