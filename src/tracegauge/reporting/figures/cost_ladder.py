"""What each instrument adds over `off`, the cheapest first: in the request path, and in CPU, with what comes later."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.marks import draw_bars
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.figures.style import MUTED
from tracegauge.reporting.numbers import render_signed, render_value
from tracegauge.reporting.tables import OFF

TITLE = "Cost ladder: what each instrument adds over off"
_LATER = 0.4
"""Opacity of the CPU that is spent after the last invocation."""


def draw(data: ReportData) -> Drawing:
    """Medians over blocks of the differences to `off`, with 95% intervals; a row per cell, `off` itself first."""
    latency, cpu, request = (
        values_of(data.overheads, f"{what}_overhead_ms") for what in ("latency", "cpu", "cpu_request")
    )
    if latency.empty or cpu.empty:
        return Drawing(None, "No cost can be given: it takes off and another instrument on the same workflow.")
    cells = _ladder(data, latency, cpu)

    def paint_latency(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, latency, data)
        _start_at(axes, latency, places)

    def paint_cpu(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, cpu, data, alpha=_LATER)
        draw_bars(axes, places, request, data, whiskers=False)
        _start_at(axes, cpu, places)

    panels = [
        Panel("request path: added caller latency, ms", paint_latency, _texts(data, cells, latency, "latency_p50_ms")),
        Panel("added CPU per invocation, ms", paint_cpu, _texts(data, cells, cpu, "cpu_ms_per_invocation")),
    ]
    legend = [
        Patch(color=MUTED, label="until the last caller has its answer"),
        Patch(color=MUTED, alpha=_LATER, label="background: while the export drains after it (lines: 95% intervals)"),
    ]
    finding = _finding(data.without_controls(latency), data.without_controls(cpu))
    return Drawing(row_chart(data.titled(TITLE), cell_rows(data, cells), panels, legend), finding)


def _ladder(data: ReportData, latency: pd.DataFrame, cpu: pd.DataFrame) -> list[str]:
    """Within each workflow and concurrency: `off`, then by added CPU, then what has no number."""
    compared = set(data.overheads.index.get_level_values("cell"))
    cells = data.results.cells

    def rung(cell: str) -> tuple[int, bool, float, float]:
        off = cells[cell].instrument == OFF
        added = float(cpu.loc[cell, "median"]) if cell in cpu.index else float("inf")
        waits = float(latency.loc[cell, "median"]) if cell in latency.index else float("inf")
        return cells[cell].concurrency, not off, added, waits

    return sorted((cell for cell in data.drawn if cell in compared or cells[cell].instrument == OFF), key=rung)


def _texts(data: ReportData, cells: Sequence[str], added: pd.DataFrame, own: str) -> dict[str, str]:
    """What is added; for `off`, what the workflow costs by itself."""
    itself = values_of(data.costs, own)
    texts = {}
    for cell in cells:
        if cell in added.index:
            texts[cell] = render_signed(added.loc[cell, "median"], "ms")
        elif data.results.cells[cell].instrument == OFF and cell in itself.index:
            texts[cell] = f"{render_value(itself.loc[cell, 'median'], 'ms')} by itself"
        else:
            texts[cell] = why_missing(data, cell)
    return texts


def _start_at(axes: Axes, values: pd.DataFrame, places: Places) -> None:
    """Room left of zero where something costs less than `off`, or its interval reaches there."""
    shown = values[[cell in places for cell in values.index]]
    lowest = min(0.0, float(shown[["median", "low"]].min(axis=None))) if len(shown) else 0.0
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set_xlim(1.04 * lowest, axes.get_xlim()[1])


def _finding(latency: pd.DataFrame, cpu: pd.DataFrame) -> str:
    def ends(frame: pd.DataFrame) -> str:
        ordered = frame["median"].sort_values()
        least, most = (f"{render_signed(ordered.iloc[end], 'ms')} ({ordered.index[end]})" for end in (0, -1))
        return least if len(ordered) == 1 else f"from {least} to {most}"

    return f"Tracing adds to what a caller waits {ends(latency)}; to the CPU of an invocation {ends(cpu)}."
