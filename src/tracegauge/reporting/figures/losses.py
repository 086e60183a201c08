"""Traces that were made but are not in the store."""

from matplotlib.axes import Axes

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.marks import draw_markers, fill_bars
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.palette import FAILED

TITLE = "Traces lost, and blocks that failed"


def draw(data: ReportData) -> Drawing:
    """Share of traces lost over all blocks that could be counted, and share of blocks with a failure of any kind."""
    cells = [cell for cell in data.drawn if data.results.cells[cell].backend or data.losses.loc[cell].failed]
    if not cells:
        return Drawing(None, "No cell stores traces, so none can be lost, and none failed.")
    losses = data.losses.loc[cells]
    if not losses.measured.any():
        return Drawing(None, "No trace could be counted: nothing was measured.")

    def paint_lost(axes: Axes, places: Places) -> None:
        _paint(axes, places, data, {c: 100 * row.lost / row.made for c, row in losses.iterrows() if row.made})

    def paint_failed(axes: Axes, places: Places) -> None:
        _paint(axes, places, data, {c: 100 * row.failed / row.measured for c, row in losses.iterrows() if row.measured})

    lost = {
        c: f"{row.lost:,} of {row.made:,} lost" if row.made else why_missing(data, str(c))
        for c, row in losses.iterrows()
    }
    failed = {
        c: f"{row.failed} of {row.measured} {why_missing(data, str(c)) if row.failed else 'failed'}"
        for c, row in losses.iterrows()
    }
    panels = [Panel("traces lost, %", paint_lost, lost), Panel("blocks with a failure, %", paint_failed, failed)]
    return Drawing(row_chart(data.titled(TITLE), cell_rows(data, cells), panels), _finding(data))


def _paint(axes: Axes, places: Places, data: ReportData, percents: dict[str, float]) -> None:
    bad = {cell: percent for cell, percent in percents.items() if percent}
    fill_bars(axes, [places[cell] for cell in bad], list(bad.values()), FAILED)
    for cell in percents:
        if cell not in bad:
            draw_markers(axes, [0], [places[cell]], data.style(cell), size=5)
    axes.set_xlim(0, max(5.0, 1.05 * max(percents.values(), default=0)))


def _finding(data: ReportData) -> str:
    losses = data.losses
    made, lost, failing = losses.made.sum(), losses.lost.sum(), losses[losses.failed > 0]
    if lost:
        worst = losses[losses.lost > 0].sort_values("lost").iloc[-1]
        parts = [
            f"{lost:,} of {made:,} traces were lost, in {int((losses.lost > 0).sum())} of {len(losses)} cells"
            f" (most, {worst.lost:,} of {worst.made:,}, with {worst.name})"
        ]
    elif not made:
        parts = ["No trace could be counted"]
    else:
        parts = [f"None of {made:,} traces that could be counted was lost"]
    parts.append(
        f"{len(failing)} of {len(losses)} cells failed in at least one block" if len(failing) else "no cell failed"
    )
    return "; ".join(parts) + "."
