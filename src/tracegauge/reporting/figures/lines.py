"""The chart of lines over something that grows (traces in the store, callers at once, campaigns): a row of panels per
workflow, a line per series, its interval as a band, and one legend below that never meets the panels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from tracegauge.reporting.figures.rows import GROUP_LIMIT
from tracegauge.reporting.figures.scales import use_log_scale
from tracegauge.reporting.figures.style import MUTED, PAPER, SIZE, SMALL, elide, styled, text_width

DASHES = ("-", "--", ":", "-.")
_WIDTH, _PANEL_HEIGHT, _LINE = 9.0, 2.4, 0.2
_NEAR = 1.05
"""Values whose largest is not this many times their smallest lie on one place of a log axis."""


@dataclass(frozen=True)
class LinePanel:
    """One panel of each row."""

    what: str
    """The rows of the frame that it shows."""
    title: str
    y_label: str
    """With its unit."""
    log: bool = True
    """A log axis; else one from 0."""


@dataclass(frozen=True)
class Axis:
    """The common x axis: where the ticks stand and what they say."""

    label: str
    ticks: Sequence[float]
    texts: Sequence[str]
    log: bool = True


@dataclass(frozen=True)
class Series:
    """How a line looks and is called."""

    label: str
    colour: str
    marker: str
    dashes: str = "-"

    def line(self, *, sound: bool = True) -> Line2D:
        """The line without its data; hollow markers where the numbers are those of failed blocks."""
        return Line2D(
            [], [], color=self.colour, marker=self.marker, linestyle=self.dashes, linewidth=1.4, markersize=5,
            markerfacecolor=self.colour if sound else PAPER,
        )  # fmt: skip


def line_chart(
    title: str, points: pd.DataFrame, series: Mapping[str, Series], panels: Sequence[LinePanel], axis: Axis
) -> Figure:
    """Draw the points: a frame with the columns `workflow`, `series`, `what`, `x`, `median`, `low`, `high`, `sound`."""
    lines = {one.label: one.line() for key, one in series.items() if key in set(points["series"])}
    workflows = list(dict.fromkeys(points["workflow"]))
    columns = max(1, int((_WIDTH - 0.3) / (max(map(text_width, lines)) + 0.7)))
    legend_height = _LINE * -(-len(lines) // columns) + 0.15
    tick_height = 0.0 if axis.log else max(map(text_width, axis.texts), default=0.0)
    top, panel = 0.42, _PANEL_HEIGHT + 1.05 + max(0.0, tick_height - 0.2)
    total = top + panel * len(workflows) + legend_height
    with styled():
        figure = Figure(figsize=(_WIDTH, total))
        figure.text(0.15 / _WIDTH, 1 - 0.14 / total, title, size=SIZE + 2, weight="bold", va="top")
        for number, workflow in enumerate(workflows):
            bottom = (total - top - panel * (number + 1) + panel - _PANEL_HEIGHT - 0.55) / total
            y = 1 - (top + panel * number + 0.17) / total
            heading = elide(str(workflow), GROUP_LIMIT)
            figure.text(0.15 / _WIDTH, y, heading, weight="bold", va="center_baseline", color=MUTED)
            for side, shown in enumerate(panels):
                axes = figure.add_axes(((0.75 + side * 4.3) / _WIDTH, bottom, 3.6 / _WIDTH, _PANEL_HEIGHT / total))
                everywhere = points[points["what"] == shown.what]
                _paint(axes, everywhere[everywhere["workflow"] == workflow], series, shown.log, _limits(everywhere))
                _mark_x(axes, axis)
                axes.set_title(shown.title, size=SMALL, loc="left")
                axes.set_ylabel(shown.y_label, size=SMALL)
        figure.legend(
            handles=list(lines.values()), labels=list(lines), loc="lower left", ncols=columns, frameon=False,
            bbox_to_anchor=(0.15 / _WIDTH, 0.08 / total), fontsize=SMALL, handlelength=3, borderaxespad=0, borderpad=0,
        )  # fmt: skip
        return figure


def _limits(points: pd.DataFrame) -> tuple[float, float]:
    low, high = float(points[["median", "low"]].min(axis=None)), float(points[["median", "high"]].max(axis=None))
    return (low, high) if np.isfinite([low, high]).all() else (0.0, 1.0)


def _paint(
    axes: Axes, points: pd.DataFrame, series: Mapping[str, Series], log: bool, limits: tuple[float, float]
) -> None:
    low, high = limits
    if log and low > 0:
        spread = 1.3 if high / low > _NEAR else 2
        use_log_scale(axes, low / spread, high * spread, axis="y")
    else:
        axes.set_ylim(min(0.0, 1.08 * low), 1.08 * high if high > 0 else 1.0)
    axes.grid(axis="both")
    for key, frame in points.sort_values("x").groupby("series", sort=False):
        line = series[str(key)].line(sound=bool(frame["sound"].all()))
        axes.fill_between(frame["x"], frame["low"], frame["high"], color=line.get_color(), alpha=0.15, lw=0)
        line.set_data(frame["x"], frame["median"])
        axes.add_line(line)


def _mark_x(axes: Axes, axis: Axis) -> None:
    if axis.log:
        axes.set_xscale("log")
        axes.set_xlim(axis.ticks[0] / 1.3, axis.ticks[-1] * 1.3)
    else:
        axes.set_xlim(min(axis.ticks) - 0.4, max(axis.ticks) + 0.4)
    axes.xaxis.set_major_locator(FixedLocator(list(axis.ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FixedFormatter(list(axis.texts)))
    if not axis.log:
        axes.tick_params(axis="x", labelrotation=90)
    axes.set_xlabel(axis.label, size=SMALL)


def dashes_of(names: Sequence[str]) -> Callable[[str | None], str]:
    """A dash pattern for each name, in turn."""
    known = list(dict.fromkeys(names))
    return lambda name: DASHES[known.index(name) % len(DASHES)] if name in known else DASHES[0]
