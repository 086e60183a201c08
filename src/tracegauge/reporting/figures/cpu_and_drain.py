"""CPU per invocation, split by when it is spent, and how long the export takes to drain."""

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.marks import draw_bars
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.figures.style import MUTED
from tracegauge.reporting.numbers import render_value

TITLE = "CPU per invocation and drain time per trace"
_LATER = 0.4
"""Opacity of the part that is spent after the last invocation."""


def draw(data: ReportData) -> Drawing:
    """Medians over blocks with 95% intervals."""
    cpu, request = (values_of(data.costs, f"cpu_{part}ms_per_invocation") for part in ("", "request_"))
    drain = values_of(data.costs, "drain_ms_per_trace")
    if cpu.empty:
        return Drawing(None, "No cell has a CPU time: nothing was measured.")

    def paint_cpu(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, cpu, data, alpha=_LATER)
        draw_bars(axes, places, request, data, whiskers=False)

    def paint_drain(axes: Axes, places: Places) -> None:
        draw_bars(axes, places, drain, data)

    cells = data.drawn
    cpu_texts = {c: render_value(cpu.loc[c, "median"], "ms") if c in cpu.index else why_missing(data, c) for c in cells}
    drain_texts = {c: render_value(drain.loc[c, "median"], "ms") if c in drain.index else "none" for c in cells}
    panels = [Panel("CPU per invocation, ms", paint_cpu, cpu_texts, weight=1.3)]
    if not drain.empty:
        panels.append(Panel("drain time per trace, ms", paint_drain, drain_texts))
    legend = [
        Patch(color=MUTED, label="CPU until the last invocation ends"),
        Patch(color=MUTED, alpha=_LATER, label="CPU while the export drains after it"),
    ]
    most = cpu["median"].idxmax()
    finding = f"The most CPU per invocation, {render_value(cpu.loc[most, 'median'], 'ms')}, is spent by {most}."
    if not drain.empty:
        longest = drain["median"].idxmax()
        finding += (
            f" Draining takes at most {render_value(drain.loc[longest, 'median'], 'ms')} per trace, with {longest}."
        )
    return Drawing(row_chart(data.titled(TITLE), cell_rows(data, cells), panels, legend), finding)
