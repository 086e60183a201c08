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
    cells = [cell for cell in data.drawn if data.results.cells[cell].backend]
    if values.empty or not cells:
        return Drawing(None, "No trace was stored, so none takes disk space.")
    kib: pd.DataFrame = values.assign(**{column: values[column] / 1024 for column in ("median", "low", "high")})

    def paint(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, kib, data)

    texts = {
        c: render_value(values.loc[c, "median"], "B") if c in values.index else why_missing(data, c) for c in cells
    }
    panel = Panel("disk space per trace, KiB allocated", paint, texts)
    return Drawing(
        row_chart(data.titled(TITLE), cell_rows(data, cells), [panel]), _finding(data.without_controls(values))
    )


def _finding(values: pd.DataFrame) -> str:
    ordered = values["median"].sort_values()
    least, most = (f"{render_value(ordered.iloc[end], 'B')} with {ordered.index[end]}" for end in (0, -1))
    return f"A trace takes {most}." if len(ordered) == 1 else f"A trace takes {most}, and {least}."
