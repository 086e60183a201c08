"""What reading costs against the size of the store, on log-log axes."""

import re
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from tracegauge.reporting.data import ReportData, values_of
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import GROUP_LIMIT, cell_label
from tracegauge.reporting.figures.scales import use_log_scale
from tracegauge.reporting.figures.style import MUTED, PAPER, SIZE, SMALL, elide, styled, text_width
from tracegauge.reporting.numbers import render_plain, render_value

TITLE = "Reading from a store of traces"
_PANELS = (("search", "searching 100 traces"), ("get", "getting one trace"))
_DASHES = ("-", "--", ":", "-.")
_WIDTH, _PANEL_HEIGHT, _LINE = 9.0, 2.4, 0.2
_NAME = re.compile(r"(search|get)_ms_at_(\d+)")


def draw(data: ReportData) -> Drawing:
    """A row of two panels per workflow; a line per cell: colour by instrument, dashes by backend."""
    reads = _reads(data)
    if reads.empty:
        return Drawing(None, "Reading was not measured in this campaign.")
    return Drawing(_figure(data, reads), _finding(reads))


def _reads(data: ReportData) -> pd.DataFrame:
    """One row per cell, `what` and `size`."""
    frames = []
    for quantity in data.costs.index.get_level_values("quantity").unique():
        match = _NAME.fullmatch(quantity)
        if match:
            frame = values_of(data.costs, quantity).reset_index()
            frames.append(frame.assign(what=match[1], size=int(match[2])))
    if not frames:
        return pd.DataFrame()
    reads = pd.concat(frames).sort_values("size")
    reads = reads[reads["cell"].isin(data.drawn)]
    return reads.assign(workflow=[data.results.cells[cell].workflow for cell in reads["cell"]])


def _figure(data: ReportData, reads: pd.DataFrame) -> Figure:
    cells = [cell for cell in data.drawn if cell in set(reads["cell"])]
    lines = {cell_label(data, cell): _line(data, cell) for cell in cells}
    workflows = list(dict.fromkeys(data.results.cells[cell].workflow for cell in cells))
    columns = max(1, int((_WIDTH - 0.3) / (max(map(text_width, lines)) + 0.7)))
    legend_height = _LINE * -(-len(lines) // columns) + 0.15
    top, panel = 0.42, _PANEL_HEIGHT + 1.05
    total = top + panel * len(workflows) + legend_height
    limits = {
        what: (frame[["median", "low"]].min(axis=None), frame[["median", "high"]].max(axis=None))
        for what, frame in reads.groupby("what")
    }
    sizes = sorted(reads["size"].unique())
    with styled():
        figure = Figure(figsize=(_WIDTH, total))
        figure.text(0.15 / _WIDTH, 1 - 0.14 / total, data.titled(TITLE), size=SIZE + 2, weight="bold", va="top")
        for number, workflow in enumerate(workflows):
            bottom = (total - top - panel * (number + 1) + 0.5) / total
            y = 1 - (top + panel * number + 0.17) / total
            figure.text(
                0.15 / _WIDTH, y, elide(workflow, GROUP_LIMIT), weight="bold", va="center_baseline", color=MUTED
            )
            for side, (what, label) in enumerate(_PANELS):
                axes = figure.add_axes(((0.75 + side * 4.3) / _WIDTH, bottom, 3.6 / _WIDTH, _PANEL_HEIGHT / total))
                chosen = reads[(reads["what"] == what) & (reads["workflow"] == workflow)]
                _panel(axes, data, chosen, limits.get(what, (1, 10)), sizes)
                axes.set_title(label, size=SMALL, loc="left")
                axes.set_xlabel("traces in the store", size=SMALL)
                axes.set_ylabel("median time, ms", size=SMALL)
        figure.legend(
            handles=list(lines.values()), labels=list(lines), loc="lower left", ncols=columns, frameon=False,
            bbox_to_anchor=(0.15 / _WIDTH, 0.08 / total), fontsize=SMALL, handlelength=3, borderaxespad=0, borderpad=0,
        )  # fmt: skip
        return figure


def _panel(axes: Axes, data: ReportData, reads: pd.DataFrame, limits: tuple[float, float], sizes: list[int]) -> None:
    use_log_scale(axes, limits[0] / 1.3, limits[1] * 1.3, axis="y")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FixedFormatter([render_plain(size) for size in sizes]))
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    axes.grid(axis="both")
    for cell, frame in reads.groupby("cell", sort=False):
        line = _line(data, str(cell), sound=bool(frame["sound"].all()))
        axes.fill_between(frame["size"], frame["low"], frame["high"], color=line.get_color(), alpha=0.15, lw=0)
        line.set_data(frame["size"], frame["median"])
        axes.add_line(line)


def _line(data: ReportData, cell: str, *, sound: bool = True) -> Line2D:
    style = data.style(cell)
    backends = list(dict.fromkeys(of.backend for of in data.results.cells.values() if of.backend))
    dashes = dict(zip(backends, cycle(_DASHES), strict=False))[data.results.cells[cell].backend or ""]
    return Line2D(
        [], [], color=style.colour, marker=style.marker, linestyle=dashes, linewidth=1.4, markersize=5,
        markerfacecolor=style.colour if sound else PAPER,
    )  # fmt: skip


def _finding(reads: pd.DataFrame) -> str:
    largest = reads["size"].max()
    search = reads[(reads["what"] == "search") & (reads["size"] == largest)].sort_values("median")
    if search.empty:
        return "Only getting single traces was measured."
    fast, slow = search.iloc[0], search.iloc[-1]
    found = f"At {largest:,} traces in the store, a search takes {render_value(fast['median'], 'ms')} with {fast.cell}"
    return found + ("." if len(search) == 1 else f" and {render_value(slow['median'], 'ms')} with {slow.cell}.")
