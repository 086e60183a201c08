"""The forest plot of the `ratio` criteria: estimate, interval and margin."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import LABEL_LIMIT, Panel, Places, Row, row_chart
from tracegauge.reporting.figures.scales import use_log_scale
from tracegauge.reporting.figures.style import INK, MUTED, elide
from tracegauge.reporting.numbers import render_interval, render_ratio
from tracegauge.reporting.palette import VERDICT_COLOURS, VERDICT_MARKERS
from tracegauge.results import CriterionVerdict

TITLE = "Criteria: how much worse than the baseline"
_CLOSE = 3.0
"""The close-up reaches this many times the largest margin to both sides of 1."""


def draw(data: ReportData) -> Drawing:
    """A row per criterion, then per control; right of 1 is worse than the baseline, right of its tick than allowed."""
    judged = [criterion for criterion in data.verdict.criteria if criterion.kind == "ratio"]
    controls = [control for control in data.verdict.controls if control.kind == "ratio"]
    criteria = judged + controls
    known = [criterion for criterion in criteria if criterion.estimate is not None and criterion.estimate > 0]
    if not known:
        why = "no block gave a ratio" if criteria else "the campaign has no ratio criterion"
        return Drawing(None, f"There is no ratio to draw: {why}.")

    def paint(axes: Axes, places: Places) -> None:
        values = [v for c in known for v in (*(c.interval or ()), c.estimate, c.bound) if v and v > 0]
        use_log_scale(axes, min(*values, 0.9) / 1.1, max(*values, 1.1) * 1.1)
        _mark_all(axes, places, known)

    reach = _CLOSE * max(0.02, *(abs(criterion.bound - 1) for criterion in known))

    def paint_closely(axes: Axes, places: Places) -> None:
        low, high = max(0.0, 1 - reach), 1 + reach
        _mark_all(axes, places, known)
        for criterion in known:
            beyond = criterion.estimate or 1.0
            if not low <= beyond <= high:
                edge, arrow = (0.0, "<") if beyond < low else (1.0, ">")
                across = axes.get_yaxis_transform()
                axes.plot(edge, places[criterion.id], arrow, color=VERDICT_COLOURS[criterion.verdict], markersize=6,
                          transform=across, clip_on=False)  # fmt: skip
        axes.set_xlim(low, high)

    groups = ["criteria", "controls"] if controls and judged else [None, None]
    rows = [
        Row(one.id, elide(one.id, LABEL_LIMIT), group)
        for group, some in zip(groups, (judged, controls), strict=True)
        for one in some
    ]
    texts = {
        c.id: f"{render_ratio(c.estimate)} {render_interval(c.interval) if c.interval else ''}  {c.verdict}"
        for c in criteria
    }
    allowed = "largest allowed (lines: 95% intervals)"
    legend = [Line2D([], [], color=INK, linewidth=0, marker="|", markersize=11, markeredgewidth=2, label=allowed)]
    legend += [
        Line2D([], [], color=VERDICT_COLOURS[verdict], marker=VERDICT_MARKERS[verdict], label=verdict.lower())
        for verdict in dict.fromkeys(str(criterion.verdict) for criterion in known)
    ]
    panels = [
        Panel("ratio to the baseline (log scale; above 1 is worse)", paint, {}, weight=1.4),
        Panel("the same close up (arrows: beyond)", paint_closely, texts),
    ]
    return Drawing(row_chart(TITLE, rows, panels, legend, height=0.32), _finding(judged))


def _mark_all(axes: Axes, places: Places, criteria: list[CriterionVerdict]) -> None:
    axes.axvline(1, color=MUTED, linewidth=1)
    for criterion in criteria:
        _mark(axes, places[criterion.id], criterion)


def _mark(axes: Axes, y: float, criterion: CriterionVerdict) -> None:
    colour = VERDICT_COLOURS[criterion.verdict]
    if criterion.interval:
        axes.plot(criterion.interval, [y, y], color=colour, linewidth=1.8, solid_capstyle="butt")
    if criterion.estimate is not None:
        axes.plot(criterion.estimate, y, VERDICT_MARKERS[criterion.verdict], color=colour, markersize=6.5)
    axes.plot(criterion.bound, y, "|", color=INK, markersize=13, markeredgewidth=2)


def _finding(criteria: list[CriterionVerdict]) -> str:
    counts = {
        verdict: [c.id for c in criteria if c.verdict == verdict] for verdict in ("PASS", "REGRESSED", "INCONCLUSIVE")
    }
    if not criteria:
        return "Only the controls are ratios."
    parts = [f"{len(ids)} {verdict.lower()} ({', '.join(ids)})" for verdict, ids in counts.items() if ids]
    return f"Of {len(criteria)} ratio criteria: {'; '.join(parts)}."
