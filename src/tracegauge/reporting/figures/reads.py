"""What reading costs against the size of the store, on log-log axes."""

import re

import pandas as pd

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.lines import Axis, LinePanel, Series, dashes_of, line_chart
from tracegauge.reporting.figures.rows import cell_label
from tracegauge.reporting.numbers import render_plain, render_value

TITLE = "Reading from a store of traces"
_PANELS = (
    LinePanel("search", "searching 100 traces", "median time, ms"),
    LinePanel("get", "getting one trace", "median time, ms"),
)
_NAME = re.compile(r"(search|get)_ms_at_(\d+)")


def draw(data: ReportData) -> Drawing:
    """A row of two panels per workflow; a line per cell: colour by instrument, dashes by backend."""
    reads = _reads(data)
    if reads.empty:
        return Drawing(None, "Reading was not measured in this campaign.")
    sizes = sorted(reads["x"].unique())
    axis = Axis("traces in the store", sizes, [render_plain(size) for size in sizes])
    dashes = dashes_of([cell.backend for cell in data.results.cells.values() if cell.backend])
    series = {
        cell: Series(
            cell_label(data, cell), data.style(cell).colour, data.style(cell).marker,
            dashes(data.results.cells[cell].backend),
        )
        for cell in data.drawn
    }  # fmt: skip
    return Drawing(line_chart(data.titled(TITLE), reads, series, _PANELS, axis), _finding(reads))


def _reads(data: ReportData) -> pd.DataFrame:
    """One row per cell, `what` and `x`, the size."""
    frames = []
    for quantity in data.costs.index.get_level_values("quantity").unique():
        match = _NAME.fullmatch(quantity)
        if match:
            frame = values_of(data.costs, quantity).reset_index(names="series")
            frames.append(frame.assign(what=match[1], x=int(match[2])))
    if not frames:
        return pd.DataFrame()
    reads = pd.concat(frames)
    reads = reads[reads["series"].isin(data.drawn)]
    reads = reads.assign(workflow=[data.results.cells[cell].workflow for cell in reads["series"]])
    order = {cell: place for place, cell in enumerate(data.drawn)}
    return reads.sort_values(
        ["series", "x"], key=lambda column: column.map(order) if column.name == "series" else column
    )


def _finding(reads: pd.DataFrame) -> str:
    largest = reads["x"].max()
    search = reads[(reads["what"] == "search") & (reads["x"] == largest)].sort_values("median")
    if search.empty:
        return "Only getting single traces was measured."
    fast, slow = search.iloc[0], search.iloc[-1]
    found = (
        f"At {largest:,} traces in the store, a search takes {render_value(fast['median'], 'ms')} with {fast.series}"
    )
    return found + ("." if len(search) == 1 else f" and {render_value(slow['median'], 'ms')} with {slow.series}.")
