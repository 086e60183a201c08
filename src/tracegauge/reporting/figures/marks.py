"""The marks that panels are made of. Each call draws many at once: an artist per mark makes large reports slow."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike, NDArray

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.rows import Places
from tracegauge.reporting.figures.style import INK, PAPER
from tracegauge.reporting.palette import Style

BAR_HEIGHT = 0.56


def draw_estimates(axes: Axes, places: Places, values: pd.DataFrame, data: ReportData) -> None:
    """A marker at each median and a line over its interval; hollow where the numbers are those of failed blocks."""
    for style, sound, some in _by_style(_placed(values, places), data):
        known = some.dropna(subset=["low", "high"])
        axes.hlines(_rows(known, places), known["low"], known["high"], color=style.colour, linewidth=1.6)
        face = style.colour if sound else PAPER
        draw_markers(axes, some["median"], _rows(some, places), style, face=face)


def draw_bars(
    axes: Axes, places: Places, values: pd.DataFrame, data: ReportData, *, alpha: float = 1.0, whiskers: bool = True
) -> None:
    """A bar from 0 to each median, with its interval as a thin line; hatched where the numbers are of failed blocks.

    The axis reaches from 0 to the longest bar drawn so far.
    """
    values = _placed(values, places)
    for style, sound, some in _by_style(values, data):
        ys = _rows(some, places)
        fill_bars(axes, ys, some["median"], PAPER)  # so that no grid line shines through
        if sound:
            fill_bars(axes, ys, some["median"], style.colour, alpha=alpha)
        else:
            fill_bars(axes, ys, some["median"], style.colour, alpha=0.3 * alpha, hatch="////")
    if whiskers:
        known = values.dropna(subset=["low", "high"])
        axes.hlines(_rows(known, places), known["low"], known["high"], color=INK, linewidth=1.0)
    longest = values[["median", "high"]].max(axis=None)
    if longest > 0:
        axes.set_xlim(0, max(axes.get_xlim()[1], 1.04 * longest))


def draw_markers(
    axes: Axes, xs: ArrayLike, ys: ArrayLike, style: Style, *, face: str | None = None, size: float = 6
) -> None:
    """A marker of the style at each place, whole even at the edge of the panel."""
    axes.plot(
        xs, ys, style.marker, color=style.colour, markerfacecolor=face or style.colour, markersize=size, clip_on=False
    )


def fill_bars(
    axes: Axes, ys: ArrayLike, lengths: ArrayLike, colour: str, *, alpha: float = 1.0, hatch: str | None = None
) -> None:
    """Bars from 0 to each length. Limits of the axis are left to the caller."""
    middles, ends = np.asarray(ys, dtype=float), np.asarray(lengths, dtype=float)
    low, high, zero = middles - BAR_HEIGHT / 2, middles + BAR_HEIGHT / 2, np.zeros_like(ends)
    corners = [np.column_stack(pair) for pair in ((zero, low), (ends, low), (ends, high), (zero, high))]
    bars = PolyCollection(
        list(np.stack(corners, axis=1)), facecolor=colour, alpha=alpha, edgecolor=colour if hatch else "none",
        linewidth=0.8 if hatch else 0, hatch=hatch,
    )  # fmt: skip
    axes.add_collection(bars, autolim=False)


def _by_style(values: pd.DataFrame, data: ReportData) -> Iterator[tuple[Style, bool, pd.DataFrame]]:
    keys = [(data.style(str(cell)), bool(sound)) for cell, sound in zip(values.index, values["sound"], strict=True)]
    for key in dict.fromkeys(keys):
        yield *key, values[[other == key for other in keys]]


def _placed(values: pd.DataFrame, places: Places) -> pd.DataFrame:
    return values[[cell in places for cell in values.index]]


def _rows(values: pd.DataFrame, places: Places) -> NDArray[np.float64]:
    return np.array([places[str(cell)] for cell in values.index], dtype=float)
