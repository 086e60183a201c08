"""`tracegauge report`: judge a measured campaign again and write its report anew."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a campaign, such as reports/quick-20260202-101500.")],
) -> int:
    """Judge what a campaign's folder holds and write its report again; half-measured campaigns too.

    Example: tracegauge report reports/quick-20260202-101500
    """
    from rich.console import Console

    from tracegauge.gate import exit_code, judge_folder
    from tracegauge.reporting import print_report, read_report_data, write_report

    verdict = judge_folder(folder)
    write_report(folder)
    console = Console()
    print_report(read_report_data(folder), console)
    console.print(f"report: {folder / 'index.html'}", soft_wrap=True)
    return exit_code(verdict.verdict)
