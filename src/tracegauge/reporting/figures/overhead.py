"""What the two figures of overhead over `off` share: caller latency and CPU side by side."""

from functools import partial

from matplotlib.axes import Axes

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.marks import draw_estimates
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.figures.style import MUTED
from tracegauge.reporting.numbers import render_signed
from tracegauge.reporting.tables import OVERHEADS


def draw_overhead(data: ReportData, title: str, *, per_span: bool) -> Drawing:
    """One panel for latency, one for CPU."""
    shown = [overhead for overhead in OVERHEADS if overhead.per_span is per_span]
    values = {overhead.quantity: values_of(data.overheads, overhead.quantity) for overhead in shown}
    compared = set(data.overheads.index.get_level_values("cell"))
    cells = [cell for cell in data.drawn if cell in compared]
    if not cells or all(frame.empty for frame in values.values()):
        return Drawing(None, "No overhead can be given: it takes off and another instrument on the same workflow.")

    def paint(quantity: str, axes: Axes, places: Places) -> None:
        axes.axvline(0, color=MUTED, linewidth=1)
        draw_estimates(axes, places, values[quantity], data)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -0.04 * high), high)

    panels = []
    for overhead in shown:
        frame = values[overhead.quantity]
        texts = {
            cell: render_signed(frame.loc[cell, "median"], overhead.unit)
            if cell in frame.index
            else why_missing(data, cell)
            for cell in cells
        }
        panels.append(Panel(f"{overhead.label}, {overhead.unit}", partial(paint, overhead.quantity), texts))
    findings = [
        f"{overhead.label} over off: from {render_signed(low['median'], overhead.unit)} ({low.name})"
        f" to {render_signed(high['median'], overhead.unit)} ({high.name})"
        for overhead in shown
        if not (frame := values[overhead.quantity].sort_values("median")).empty
        for low, high in [(frame.iloc[0], frame.iloc[-1])]
    ]
    finding = "; ".join(findings) + "."
    return Drawing(row_chart(data.titled(title), cell_rows(data, cells), panels), finding[0].upper() + finding[1:])
