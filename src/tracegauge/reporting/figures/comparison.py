"""The forest plot of two saved runs: how much slower each id has become, with interval and margin."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import LABEL_LIMIT, Panel, Places, Row, row_chart
from tracegauge.reporting.figures.scales import use_log_scale
from tracegauge.reporting.figures.style import INK, MUTED, elide
from tracegauge.reporting.numbers import render_change
from tracegauge.reporting.palette import VERDICT_COLOURS, VERDICT_MARKERS
from tracegauge.results import METRICS
from tracegauge.results.comparison import ComparedMetric, Comparison

TITLE = "What moved: candidate / base"
MOST_ROWS = 60
"""Rows that the figure has room for: those that moved most. The table has all."""


def draw_comparison(comparison: Comparison) -> Drawing:
    """A row per id and metric, the largest changes for the worse first; right of the line is worse than allowed."""
    known = [row for row in comparison.rows if row.estimate]
    if not known:
        return Drawing(None, "No id has a number in both runs, so there is nothing to draw.")
    shown = sorted(known, key=lambda row: -(row.estimate or 0))[:MOST_ROWS]
    keys = {_key(row): row for row in shown}
    bound = 1 + comparison.margin

    def paint(axes: Axes, places: Places) -> None:
        values = [value for row in shown for value in (*(row.interval or ()), row.estimate, bound, 1.0) if value]
        use_log_scale(axes, min(values) / 1.05, max(values) * 1.05)
        axes.axvline(1, color=MUTED, linewidth=1)
        axes.axvline(bound, color=INK, linewidth=1.2, linestyle="--")
        for key, row in keys.items():
            colour = VERDICT_COLOURS[row.verdict]
            if row.interval:
                axes.plot(row.interval, [places[key]] * 2, color=colour, linewidth=1.8, solid_capstyle="butt")
            axes.plot(row.estimate or 1.0, places[key], VERDICT_MARKERS[row.verdict], color=colour, markersize=6)

    rows = [Row(key, elide(row.id, LABEL_LIMIT), METRICS[row.metric].label if row.metric in METRICS else row.metric)
            for key, row in keys.items()]  # fmt: skip
    texts = {key: f"{render_change(row.estimate)}  {row.verdict}" for key, row in keys.items()}
    allowed = f"largest allowed: {render_change(bound)} (lines: 95% intervals)"
    legend = [Line2D([], [], color=INK, linewidth=1.2, linestyle="--", label=allowed)]
    panel = Panel("candidate / base (log scale; above 1 is more)", paint, texts)
    title = TITLE if len(shown) == len(known) else f"{TITLE} ({len(shown)} of {len(known)} numbers)"
    return Drawing(row_chart(title, rows, [panel], legend), _finding(known))


def _key(row: ComparedMetric) -> str:
    return f"{row.metric} {row.id}"


def _finding(rows: list[ComparedMetric]) -> str:
    least, *_, most = sorted([rows[0], *rows], key=lambda row: row.estimate or 0)
    if len(rows) == 1:
        return f"{most.id} changed by {render_change(most.estimate)}."
    low, high = (f"{render_change(row.estimate)} ({row.id})" for row in (least, most))
    return f"Changes range from {low} to {high}."
