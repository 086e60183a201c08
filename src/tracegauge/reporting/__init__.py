"""Views of results: the report page with its figures, the terminal, Markdown. matplotlib waits for the first figure."""

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures import FIGURES, draw_figure
from tracegauge.reporting.markdown import render_markdown
from tracegauge.reporting.report import read_report_data, write_report
from tracegauge.reporting.terminal import print_report

__all__ = [
    "FIGURES",
    "ReportData",
    "draw_figure",
    "print_report",
    "read_report_data",
    "render_markdown",
    "write_report",
]
