"""The figures of a report, one module each. matplotlib is imported only when one is drawn."""

from importlib import import_module
from typing import TYPE_CHECKING

from tracegauge.reporting.data import ReportData

if TYPE_CHECKING:
    from tracegauge.reporting.figures.drawing import Drawing

FIGURES = (
    "criteria",
    "latency",
    "cost_ladder",
    "bytes_per_trace",
    "reads",
    "losses",
    "load",
    "judge_calibration",
)
"""In the order of the report. A module of that name has a `TITLE` and a function `draw(data) -> Drawing`."""


def draw_figure(name: str, data: ReportData) -> "Drawing":
    """Draw one of `FIGURES`. Raises KeyError for any other name."""
    if name not in FIGURES:
        raise KeyError(name)
    drawing: Drawing = import_module(f"{__name__}.{name}").draw(data)
    return drawing


def figure_title(name: str) -> str:
    """The title of one of `FIGURES`."""
    return str(import_module(f"{__name__}.{name}").TITLE)
