"""Caller latency of each cell as a raincloud: density, quantiles, and the medians of the blocks."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import Panel, Places, cell_rows, row_chart, why_missing
from tracegauge.reporting.figures.scales import use_log_scale
from tracegauge.reporting.figures.style import ALARM, MUTED, PAPER
from tracegauge.reporting.numbers import render_value
from tracegauge.results import Sample

TITLE = "Caller latency per invocation"
_BINS = 48
_KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def draw(data: ReportData) -> Drawing:
    """Latencies of blocks are pooled for the picture only; the numbers beside it are medians over blocks."""
    medians = values_of(data.costs, "latency_p50_ms")
    if medians.empty:
        return Drawing(None, "No cell has a latency: nothing was measured.")
    known = {cell: _latencies_ms(data.results.by_cell[cell].values()) for cell in data.drawn if cell in medians.index}
    return Drawing(_figure(data, known, medians), _finding(data.without_controls(medians)))


def _figure(data: ReportData, known: dict[str, NDArray[np.float64]], medians: pd.DataFrame) -> Figure:
    def paint(axes: Axes, places: Places) -> None:
        low = min(float(values.min()) for values in known.values())
        high = max(float(np.quantile(values, 0.999)) for values in known.values())
        use_log_scale(axes, low / 1.12, high * 1.12)
        ys = np.array([places[cell] for cell in known])
        colours = [data.style(cell).colour for cell in known]
        _clouds(axes, ys, list(known.values()), colours)
        for cell in known:
            _rain(axes, places[cell], list(data.results.by_cell[cell].values()), data.style(cell).colour)

    texts = {
        cell: render_value(medians.loc[cell, "median"], "ms") if cell in known else why_missing(data, cell)
        for cell in data.drawn
    }
    legend = [
        Line2D([], [], color=MUTED, marker="o", linewidth=3, markerfacecolor=PAPER, label="median, middle half"),
        Line2D([], [], color=MUTED, linewidth=1, label="5% to 95%"),
        Line2D([], [], color=MUTED, linewidth=0, marker="|", label="median of one block (red: failed)"),
    ]
    panel = Panel("caller latency, ms (log scale; the slowest 0.1% are not drawn)", paint, texts)
    return row_chart(data.titled(TITLE), cell_rows(data, data.drawn), [panel], legend, height=0.42)


def _clouds(axes: Axes, ys: NDArray[np.float64], latencies: Sequence[NDArray[np.float64]], colours: list[str]) -> None:
    quantiles = np.array([np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]) for values in latencies])
    shapes = [_density(values, y - 0.05) for values, y in zip(latencies, ys, strict=True)]
    axes.add_collection(PolyCollection(shapes, facecolors=colours, alpha=0.35, linewidth=0), autolim=False)
    axes.hlines(ys + 0.04, quantiles[:, 0], quantiles[:, 4], colors=colours, linewidth=1)
    axes.hlines(ys + 0.04, quantiles[:, 1], quantiles[:, 3], colors=colours, linewidth=3.2)
    axes.scatter(quantiles[:, 2], ys + 0.04, s=20, marker="o", facecolors=PAPER, edgecolors=colours, zorder=3)


def _density(values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """The corners of a smoothed histogram over log latency, standing on `floor` and 0.4 high; shape (corners, 2)."""
    logs = np.log10(np.clip(values, None, np.quantile(values, 0.999)))
    counts, edges = np.histogram(logs, bins=_BINS)
    density = np.convolve(counts, _KERNEL, mode="same")
    centres = 10 ** ((edges[:-1] + edges[1:]) / 2)
    outline = np.column_stack([centres, floor - 0.4 * density / density.max()])
    return np.vstack([[centres[0], floor], outline, [centres[-1], floor]])


def _rain(axes: Axes, y: float, samples: list[Sample], colour: str) -> None:
    """One path for all blocks that passed, one for those that failed: a mark each would fill megabytes of SVG."""
    for good in (True, False):
        medians = [
            float(np.median(sample.measurement.latency_ns)) / 1e6
            for sample in samples
            if sample.ok is good and sample.measurement and sample.measurement.latency_ns
        ]
        ends = [y + 0.21, y + 0.33] if good else [y + 0.18, y + 0.36]
        strokes = np.full((len(medians), 3, 2), np.nan)
        strokes[:, :2, 0] = np.array(medians).reshape(-1, 1)
        strokes[:, :2, 1] = ends
        xs, ys = strokes.reshape(-1, 2).T
        axes.plot(xs, ys, color=colour if good else ALARM, linewidth=0.9, solid_capstyle="butt")


def _latencies_ms(samples: Iterable[Sample]) -> NDArray[np.float64]:
    """Of the blocks that passed their checks; where none did, of all that were measured."""
    measured = [sample for sample in samples if sample.measurement and sample.measurement.latency_ns]
    chosen = [sample for sample in measured if sample.ok] or measured
    return np.concatenate([sample.measurement.latency_ns for sample in chosen if sample.measurement]) / 1e6


def _finding(medians: pd.DataFrame) -> str:
    ordered = medians["median"].sort_values()
    fastest, slowest = (f"{render_value(ordered.iloc[end], 'ms')} ({ordered.index[end]})" for end in (0, -1))
    if len(ordered) == 1:
        return f"Median caller latency is {fastest}."
    return f"Median caller latency is between {fastest} and {slowest}."
