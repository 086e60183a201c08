"""`tracegauge report`: judge a measured campaign again and write its report anew."""

from pathlib import Path
from typing import Annotated

import typer

from tracegauge.cli.outputs import AsJson, JUnitFile, MarkdownFile


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a campaign, such as reports/quick-20260202-101500.")],
    junit_xml: JUnitFile = None,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
) -> int:
    """Judge what a campaign's folder holds and write its report again; half-measured campaigns too.

    Example: tracegauge report reports/quick-20260202-101500
    """
    from tracegauge.cli.outputs import check_writable, console_beside, write_verdict
    from tracegauge.gate import exit_code, judge_folder
    from tracegauge.reporting import print_report, read_report_data, write_report

    check_writable(junit_xml, markdown)
    verdict = judge_folder(folder)
    write_report(folder)
    console = console_beside(as_json)
    print_report(read_report_data(folder), console)
    console.print(f"report: {folder / 'index.html'}", soft_wrap=True)
    write_verdict(folder, verdict, junit_xml=junit_xml, markdown=markdown, as_json=as_json)
    return exit_code(verdict.verdict)
