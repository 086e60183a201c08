"""The history of saved campaigns: `history.html`, and the same in the terminal with sparklines."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracegauge.reporting.history import History, sparkline
from tracegauge.reporting.index_page import HISTORY_FILE, INDEX_FILE
from tracegauge.reporting.numbers import render_interval, render_value
from tracegauge.reporting.page import PageFigure, render_page
from tracegauge.results import metric
from tracegauge.results.files import write_atomically

WEAK = (
    "Campaigns are measured at different times: what the machine did differently meets one of them alone. Take a step"
    " as a question, and ask it with tracegauge bench --against, which measures old and new in turns."
)


def write_history(reports: Path, histories: Sequence[History]) -> Path:
    """Write the page; returns its path. Raises OSError where it can't be written."""
    from tracegauge.reporting.figures.style import inline_svg
    from tracegauge.reporting.figures.trend import TITLE, draw_trend

    sections = []
    for number, history in enumerate(histories):
        drawing = draw_trend(history)
        svg = Markup(inline_svg(drawing.figure, f"trend{number}")) if drawing.figure else None
        figure = PageFigure(f"trend{number}", f"{TITLE}: {history.name}", drawing.finding, svg)
        sections.append((history, figure, rows_of(history)))
    page = reports / HISTORY_FILE
    write_atomically(page, render_page("history.html.j2", sections=sections, weak=WEAK, index=INDEX_FILE))
    return page


def rows_of(history: History) -> list[dict[str, str | bool | float]]:
    """A row per cell and quantity: sparkline, newest value with interval and coverage, change since the one before."""
    rows: list[dict[str, str | bool | float]] = []
    for trend in history.trends:
        last = trend.points.iloc[-1]
        rows.append(
            {
                "cell": trend.cell,
                "quantity": metric(trend.quantity).label,
                "spark": sparkline(trend.medians),
                "campaigns": len(trend.medians),
                "newest": render_value(trend.medians[-1], trend.unit),
                "sort": trend.medians[-1],
                "interval": render_interval((last["low"], last["high"]), trend.unit),
                "coverage": f"{last['n']:.0f} of {last['m']:.0f}",
                "change": trend.change,
                "apart": trend.apart,
            }
        )
    return rows


def print_history(histories: Sequence[History], console: Console) -> None:
    """A table per campaign name; a change whose intervals do not meet stands out."""
    narrow = console.width < 100
    for history in histories:
        count = len(history.campaigns)
        title = f"{history.name}: {count} {'campaign' if count == 1 else 'campaigns'}"
        table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        table.add_column("cell", overflow="fold")
        table.add_column("trend", overflow="fold")
        for heading in ("newest", *(() if narrow else ("95% interval", "blocks")), "change"):
            table.add_column(heading, justify="right")
        quantity = None
        for row in rows_of(history):
            if row["quantity"] != quantity:
                quantity = row["quantity"]
                table.add_row(Text(str(quantity), style="bold"))
            sure = () if narrow else (Text(str(row["interval"])), Text(str(row["coverage"])))
            change = Text(str(row["change"]), style="bold yellow" if row["apart"] else "")
            table.add_row(Text(f"  {row['cell']}"), Text(str(row["spark"])), Text(str(row["newest"])), *sure, change)
        console.print(table)
        if len(history.machines) > 1:
            console.print(Text(f"measured on {len(history.machines)} machines", style="bold yellow"))
        for reason in history.unreadable:
            console.print(Text(f"left out: {reason}", style="yellow"))
    console.print(Text(WEAK, style="dim"))
