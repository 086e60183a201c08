"""Disk space per trace."""

import pandas as pd
from matplotlib.axes import Axes

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.marks import draw_bars
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.numbers import render_value

TITLE = "Disk space per trace"


def draw(data: ReportData) -> Drawing:
    """Allocated blocks, write-ahead log included, net of an empty store: medians over blocks with 95% intervals."""
    values = values_of(data.costs, "bytes_per_trace")
    if values.empty:
        return Drawing(None, "No cell stores traces, so none takes disk space.")
    kib: pd.DataFrame = values.assign(**{column: values[column] / 1024 for column in ("median", "low", "high")})

    def paint(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, kib, data)

    cells = [cell for cell, of in data.results.cells.items() if of.backend]
    texts = {
        c: render_value(values.loc[c, "median"], "B") if c in values.index else why_missing(data, c) for c in cells
    }
    least, most = values["median"].idxmin(), values["median"].idxmax()
    finding = f"A trace takes {render_value(values.loc[most, 'median'], 'B')} with {most}"
    if least != most:
        finding += f", and {render_value(values.loc[least, 'median'], 'B')} with {least}"
    return Drawing(
        row_chart(TITLE, cell_rows(data, cells), [Panel("disk space per trace, KiB allocated", paint, texts)]),
        f"{finding}.",
    )
