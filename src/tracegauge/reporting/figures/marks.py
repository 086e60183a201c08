"""The marks that panels are made of: an estimate with its interval, and a bar."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.rows import Places
from tracegauge.reporting.figures.style import INK, PAPER

BAR_HEIGHT = 0.56


def draw_estimates(axes: Axes, places: Places, values: pd.DataFrame, data: ReportData) -> None:
    """A marker at each median and a line over its interval; hollow where the numbers are those of failed blocks."""
    for cell, value in values.iterrows():
        style, y = data.style(str(cell)), places[str(cell)]
        if not np.isnan(value.low):
            axes.plot([value.low, value.high], [y, y], color=style.colour, linewidth=1.6, solid_capstyle="butt")
        face = style.colour if value.sound else PAPER
        axes.plot(value["median"], y, style.marker, color=style.colour, markerfacecolor=face, markersize=6)


def draw_bars(
    axes: Axes, places: Places, values: pd.DataFrame, data: ReportData, *, alpha: float = 1.0, whiskers: bool = True
) -> None:
    """A bar from 0 to each median, with its interval as a thin line; hatched where the numbers are of failed blocks."""
    for cell, value in values.iterrows():
        style, y = data.style(str(cell)), places[str(cell)]
        axes.barh(y, value["median"], BAR_HEIGHT, color=PAPER)  # so that no grid line shines through
        axes.barh(
            y, value["median"], BAR_HEIGHT, color=style.colour, alpha=alpha if value.sound else 0.3 * alpha,
            edgecolor=style.colour, linewidth=0.0 if value.sound else 0.8, hatch=None if value.sound else "////",
        )  # fmt: skip
        if whiskers and not np.isnan(value.low):
            axes.plot([value.low, value.high], [y, y], color=INK, linewidth=1.0, solid_capstyle="butt")
    axes.set_xlim(left=0)
