"""Axes whose ticks read as plain numbers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from tracegauge.reporting.numbers import render_plain

_NARROW = 0.5
"""Decades below which the round numbers of a log axis are too few, and those of a linear one serve."""


def use_log_scale(axes: Axes, low: float, high: float, *, axis: str = "x") -> None:
    """A log axis over at least [low, high], with ticks at plain numbers: 1, 2, 5, 10, … where there is room."""
    along = axes.xaxis if axis == "x" else axes.yaxis
    (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
    decades = np.log10(high / low)
    subs: Sequence[float] = (1.0, 2.0, 5.0) if decades < 2.2 else (1.0, 3.0) if decades < 4 else (1.0,)
    if decades < _NARROW:
        ticks = [tick for tick in MaxNLocator(nbins=5).tick_values(low, high) if low <= tick <= high and tick > 0]
        along.set_major_locator(FixedLocator(ticks))
    else:
        along.set_major_locator(LogLocator(subs=subs, numticks=30))
    along.set_minor_locator(NullLocator())
    along.set_major_formatter(FuncFormatter(_plain))
    (axes.set_xlim if axis == "x" else axes.set_ylim)(low, high)


def use_plain_numbers(axes: Axes) -> None:
    """A linear x axis whose ticks are few, and have their thousands separated."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))


def _plain(value: float, _: object = None) -> str:
    return render_plain(value)
