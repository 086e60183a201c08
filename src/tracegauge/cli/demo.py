"""`tracegauge demo`: the quick campaign, from nothing to a report."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder that the campaign's own folder is made in.")] = Path("reports"),
) -> None:
    """Measure a real LangGraph workflow under every instrument, on files and on SQLite, and write a report.

    No API key is needed: the model is scripted. The exit code says whether the demo ran, not what it found; use
    `tracegauge bench` for a verdict that a script can act on.

    Example: tracegauge demo
    """
    from rich.console import Console

    from tracegauge.cli.measuring import measure_and_report
    from tracegauge.measure import campaign_for
    from tracegauge.reporting import print_report, read_report_data

    console = Console()
    console.print(
        "Measuring the article writer, five LLM nodes in a chain, off / legacy runs / manual spans / autolog,"
    )
    console.print("on a file store and on SQLite. This takes some minutes.")
    command = ["tracegauge", "bench", "bench/quick.yaml", "--out", str(out)]
    folder, verdict = measure_and_report(campaign_for("bench/quick.yaml"), out, command, console)
    print_report(read_report_data(folder), console)
    console.print(f"report: {folder / 'index.html'}", soft_wrap=True)
    console.print(f"\n`{' '.join(command)}` measures the same and would exit with the verdict: {verdict.verdict}.")
