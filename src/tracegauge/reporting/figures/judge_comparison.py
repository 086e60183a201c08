"""The forest plot of two sets of traces by their judges: B less A, as a share of what the values can differ by."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import LABEL_LIMIT, Panel, Places, Row, row_chart
from tracegauge.reporting.figures.style import INK, MUTED, elide
from tracegauge.reporting.judge_words import difference_words
from tracegauge.reporting.palette import VERDICT_COLOURS, VERDICT_MARKERS
from tracegauge.results.calibration import MOCK_NOTE
from tracegauge.results.judge_comparison import JudgeComparison, Measure

TITLE = "What moved: B less A"
MOST_ROWS = 60
"""Rows that the figure has room for: those that lost most. The table has all."""


def draw_judge_comparison(comparison: JudgeComparison) -> Drawing:
    """A row per measure, the largest losses first; left of the tick is more than may be lost."""
    if not comparison.measures:
        return Drawing(None, "No judge scored both sides, so there is nothing to draw.")
    ranked = sorted(comparison.measures, key=lambda one: one.difference / one.span)
    shown = {_key(one): one for one in ranked[:MOST_ROWS]}

    def paint(axes: Axes, places: Places) -> None:
        axes.axvline(0, color=MUTED, linewidth=1)
        for key, one in shown.items():
            y, colour, scale = places[key], VERDICT_COLOURS[one.verdict], 100 / one.span
            if one.interval:
                axes.plot([scale * limit for limit in one.interval], [y, y], color=colour, linewidth=1.8)
            axes.plot(scale * one.difference, y, VERDICT_MARKERS[one.verdict], color=colour, markersize=6.5)
            for bound in (-one.margin, one.margin) if one.either_way else (-one.margin,):
                axes.plot(scale * bound, y, "|", color=INK, markersize=13, markeredgewidth=2)
        reach = [abs(value) * 100 / one.span for one in shown.values()
                 for value in (one.difference, one.margin, *(one.interval or ()))]  # fmt: skip
        axes.set_xlim(-1.08 * max(reach), 1.08 * max(reach))

    note = MOCK_NOTE if comparison.mock else None
    rows = [Row(key, elide(f"{one.judge}: {one.name}", LABEL_LIMIT), note) for key, one in shown.items()]
    texts = {key: f"{difference_words(one)}  {one.verdict}" for key, one in shown.items()}
    legend = [Line2D([], [], color=INK, linewidth=0, marker="|", markersize=11, markeredgewidth=2,
                     label="may be lost, or may differ (lines: 95% intervals)")]  # fmt: skip
    title = TITLE if len(shown) == len(ranked) else f"{TITLE} ({len(shown)} of {len(ranked)} measures)"
    panel = Panel("B less A, % of the range of the values (below 0 is less)", paint, texts)
    return Drawing(row_chart(title, rows, [panel], legend, height=0.32), _finding(ranked, note))


def _key(one: Measure) -> str:
    return f"{one.judge} {one.digest} {one.name}"


def _finding(ranked: list[Measure], note: str | None) -> str:
    named = [f"{one.judge}, {one.name}: {difference_words(one)}" for one in dict.fromkeys((ranked[0], ranked[-1]))]
    mock = f" ({note})" if note else ""
    return f"B less A is from {named[0]} to {named[1]}{mock}." if len(named) > 1 else f"B less A is {named[0]}{mock}."
