"""The chart that most figures are: a row per cell, a label on its left, one or more panels, a value right of each.

All places are worked out in inches from the widths of the texts, so that nothing overlaps however long the names
are and however many rows there are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.scales import use_plain_numbers
from tracegauge.reporting.figures.style import ALARM, INK, LINE, MUTED, PAPER, SIZE, SMALL, elide, styled, text_width

LABEL_LIMIT, PART_LIMIT, GROUP_LIMIT = 46, 26, 72
PANELS_WIDTH = 5.6
ROW_HEIGHT = 0.27
MANY_ROWS = 25
_MARGIN, _GAP, _TOP, _BOTTOM, _LEGEND = 0.15, 0.12, 0.42, 0.55, 0.27
_LEAST_TEXT = 0.3  # so that the ticks of neighbouring panels stay apart

Places = Mapping[str, float]
"""Where each row stands on the y axis."""


@dataclass(frozen=True)
class Row:
    """One row: what it is found by, and how it is labelled."""

    key: str
    label: str
    group: str | None = None
    """Rows of one group stand under one heading."""
    failed: bool = False


@dataclass(frozen=True)
class Panel:
    """One panel of the chart."""

    x_label: str
    """With its unit."""
    paint: Callable[[Axes, Places], None]
    texts: Mapping[str, str] = field(default_factory=dict)
    """By row: what stands right of the panel."""
    weight: float = 1.0
    """Its share of the width, beside that of other panels."""


def cell_rows(data: ReportData, cells: Iterable[str]) -> list[Row]:
    """A row for each cell, under the heading of its workflow; a cell that failed says in how many blocks."""
    rows = []
    for cell in cells:
        loss = data.losses.loc[cell]
        trouble = f" ({loss.failed} of {loss.measured} failed)" if loss.failed else ""
        label = cell_label(data, cell) + trouble
        rows.append(Row(cell, label, data.results.cells[cell].workflow, bool(loss.failed)))
    return rows


def cell_label(data: ReportData, cell: str) -> str:
    """A cell's label with each of its names short enough that none hides the others."""
    return " · ".join(elide(part, PART_LIMIT) for part in data.label_parts(cell))


def why_missing(data: ReportData, cell: str) -> str:
    """What stands in place of a value that a cell doesn't have."""
    loss = data.losses.loc[cell]
    if not loss.measured:
        return "not measured"
    return elide(str(loss.what), 24) if loss.failed else "none"


def row_chart(
    title: str, rows: Sequence[Row], panels: Sequence[Panel], legend: Sequence[Artist] = (), height: float = ROW_HEIGHT
) -> Figure:
    """Draw the chart. `height` is that of a row in inches."""
    lines = _lines(rows)
    labels = max(
        [text_width(row.label) for row in rows]
        + [text_width(elide(row.group, GROUP_LIMIT), weight="bold") - PANELS_WIDTH / 2 for row in rows if row.group]
    )
    left = _MARGIN + labels + _GAP
    texts = [max((text_width(text, SMALL) for text in panel.texts.values()), default=_LEAST_TEXT) for panel in panels]
    shares = [PANELS_WIDTH * panel.weight / sum(p.weight for p in panels) for panel in panels]
    width = left + sum(shares) + sum(_GAP + text + _MARGIN for text in texts) + _MARGIN
    width = max(width, text_width(title, SIZE + 2, "bold") + 2 * _MARGIN)
    top = _TOP + (_LEGEND if legend else 0) + (0.25 if len(rows) > MANY_ROWS else 0)
    body = len(lines) * height
    total = top + body + _BOTTOM

    with styled():
        figure = Figure(figsize=(width, total))
        figure.text(_MARGIN / width, 1 - 0.14 / total, title, size=SIZE + 2, weight="bold", va="top")
        if legend:
            figure.legend(
                handles=list(legend), loc="upper left", bbox_to_anchor=(_MARGIN / width, 1 - (_TOP - 0.03) / total),
                ncols=len(legend), frameon=False, fontsize=SMALL, borderaxespad=0, borderpad=0, labelcolor=INK,
            )  # fmt: skip
        places = {row.key: place + 0.5 for place, row in enumerate(lines) if isinstance(row, Row)}
        _write_labels(figure, lines, left, (width, total), top, height)
        x = left
        for panel, share, text in zip(panels, shares, texts, strict=True):
            axes = figure.add_axes((x / width, _BOTTOM / total, share / width, body / total))
            _prepare(axes, len(lines), list(places.values()), panel.x_label, mirrored=len(rows) > MANY_ROWS)
            use_plain_numbers(axes)
            panel.paint(axes, places)
            axes.set_ylim(len(lines), 0)
            for key, value in panel.texts.items():
                figure.text(
                    (x + share + _GAP) / width, 1 - (top + places[key] * height) / total, value, size=SMALL,
                    va="center_baseline", color=INK,
                )  # fmt: skip
            x += share + _GAP + text + _MARGIN
        return figure


def _lines(rows: Sequence[Row]) -> list[Row | str]:
    """The rows with a heading before each group."""
    lines: list[Row | str] = []
    group = None
    for row in sorted(rows, key=lambda row: [r.group for r in rows].index(row.group)):
        if row.group is not None and row.group != group:
            lines.append(row.group)
        group = row.group
        lines.append(row)
    return lines


def _write_labels(
    figure: Figure, lines: Sequence[Row | str], left: float, size: tuple[float, float], top: float, height: float
) -> None:
    width, total = size
    for place, line in enumerate(lines):
        y = 1 - (top + (place + 0.5) * height) / total
        if isinstance(line, Row):
            colour = ALARM if line.failed else INK
            figure.text((left - _GAP) / width, y, line.label, ha="right", va="center_baseline", color=colour)
        else:
            group = elide(line, GROUP_LIMIT)
            paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}  # no grid line runs through a heading
            figure.text(_MARGIN / width, y, group, weight="bold", va="center_baseline", color=MUTED, bbox=paper)


def _prepare(axes: Axes, lines: int, places: Sequence[float], x_label: str, *, mirrored: bool) -> None:
    axes.set_ylim(lines, 0)
    axes.set_yticks([])
    axes.set_title("")  # takes the title's place from the style, or else each drawing searches for a free one
    axes.hlines(places, 0, 1, transform=axes.get_yaxis_transform(), color=LINE, linewidth=0.5, zorder=0)
    axes.set_xlabel(x_label, size=SMALL)
    axes.tick_params(axis="x", length=2, labeltop=mirrored)
