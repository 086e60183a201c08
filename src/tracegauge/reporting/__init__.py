"""Views of results: the report page with its figures, the terminal, Markdown. matplotlib waits for the first figure."""

from tracegauge.reporting.comparison import print_comparison
from tracegauge.reporting.comparison_page import write_comparison
from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures import FIGURES, draw_figure
from tracegauge.reporting.history import history_records, read_histories
from tracegauge.reporting.history_page import print_history, write_history
from tracegauge.reporting.index_page import write_index
from tracegauge.reporting.judge_comparison_page import render_judge_comparison
from tracegauge.reporting.junit import render_comparison_junit, render_verdict_junit
from tracegauge.reporting.markdown import render_comparison, render_markdown
from tracegauge.reporting.report import read_report_data, write_figure, write_report
from tracegauge.reporting.saved import newest_campaign
from tracegauge.reporting.terminal import print_report

__all__ = [
    "FIGURES",
    "ReportData",
    "draw_figure",
    "history_records",
    "newest_campaign",
    "print_comparison",
    "print_history",
    "print_report",
    "read_histories",
    "read_report_data",
    "render_comparison",
    "render_comparison_junit",
    "render_judge_comparison",
    "render_markdown",
    "render_verdict_junit",
    "write_comparison",
    "write_figure",
    "write_history",
    "write_index",
    "write_report",
]
