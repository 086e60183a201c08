"""Caller latency and CPU over saved campaigns, a line per cell."""

import pandas as pd

from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.lines import Axis, LinePanel, Series, dashes_of, line_chart
from tracegauge.reporting.figures.rows import PART_LIMIT
from tracegauge.reporting.figures.style import elide
from tracegauge.reporting.history import History
from tracegauge.reporting.palette import styles
from tracegauge.results import metric

TITLE = "Trend over saved campaigns"
MOST_CELLS = 40
"""Lines that a figure has room for; the table has all."""
MOST_LABELLED = 24
"""Campaigns whose time is written out; of more, every second, third … is."""
_PANELS = (
    LinePanel("latency_p50_ms", "caller latency, median", "median over blocks, ms"),
    LinePanel("cpu_ms_per_invocation", "CPU per invocation", "median over blocks, ms"),
)


def draw_trend(history: History) -> Drawing:
    """A row of two panels per workflow; bands are 95% intervals; x is the order of the campaigns, not time."""
    trends = history.trends
    if not trends:
        return Drawing(None, "No campaign has a number yet.")
    cells = list(history.cells)[:MOST_CELLS]
    points = pd.concat(
        [
            trend.points.assign(what=trend.quantity, series=trend.cell, workflow=history.cells[trend.cell].workflow)
            for trend in trends
            if trend.cell in cells
        ]
    )
    look = styles(cell.instrument for cell in history.cells.values())
    grounds = {cell: f"{of.backend} {of.delivery} {of.concurrency}" for cell, of in history.cells.items() if of.backend}
    dashes = dashes_of(list(grounds.values()))
    series = {
        cell: Series(_label(cell), look[of.instrument].colour, look[of.instrument].marker, dashes(grounds.get(cell)))
        for cell, of in history.cells.items()
    }
    step = -(-len(history.campaigns) // MOST_LABELLED)
    ticks = list(range(0, len(history.campaigns), step))
    texts = [history.campaigns[tick].record.started_at[:16].replace("T", " ") for tick in ticks]
    axis = Axis("", ticks, texts, log=False)
    shown = f" ({len(cells)} of {len(history.cells)} cells)" if len(cells) < len(history.cells) else ""
    title = f"{TITLE}: {elide(history.name, PART_LIMIT)}{shown}"
    return Drawing(line_chart(title, points, series, _PANELS, axis), _finding(history))


def _label(cell: str) -> str:
    return elide(cell, 2 * PART_LIMIT)


def _finding(history: History) -> str:
    count = len(history.campaigns)
    if count < 2:
        return "There is one campaign, so there is no trend yet."
    moved = [f"{t.cell} ({metric(t.quantity).label} {t.change})" for t in history.trends if t.apart]
    found = f"the newest differs from the one before in {', '.join(moved[:4])}" if moved else "nothing moved last time"
    more = f" and {len(moved) - 4} more" if len(moved) > 4 else ""
    return f"{count} campaigns; {found}{more} (judged by intervals that do not meet)."
