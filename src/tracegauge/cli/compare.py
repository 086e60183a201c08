"""`tracegauge compare`: two saved runs, each measured for itself."""

from pathlib import Path
from typing import Annotated

import typer

from tracegauge.cli.outputs import AsJson, JUnitFile, MarkdownFile

REFUSED = 3


def compare(
    base: Annotated[
        str, typer.Argument(help="Folder of a campaign, JSON file of pytest-benchmark, or its id below .benchmarks.")
    ],
    candidate: Annotated[str, typer.Argument(help="The same, of what may have become slower.")],
    margin: Annotated[float, typer.Option(help="Allowed relative change for the worse: 0.15 is 15%.")] = 0.15,
    rename: Annotated[
        list[str] | None, typer.Option("--rename", metavar="OLD=NEW", help="An id that has changed; may be repeated.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric of campaigns; may be repeated. Default: median latency, and CPU per invocation."),
    ] = None,
    allow_different_machines: Annotated[
        bool, typer.Option("--allow-different-machines", help="Judge runs of different machines all the same.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison as a page for the browser.")
    ] = None,
    junit_xml: JUnitFile = None,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
) -> int:
    """Compare two runs that were measured separately, by the ids of their cells or benchmarks.

    This is weaker evidence than `tracegauge bench --against`, which measures both in the same blocks: intervals are
    widened by what two runs of the same code differ by.

    Exit code: 0 nothing is slower, 1 something is, 2 it can't be told, or an id is missing, 3 usage error or runs of
    different machines.

    Examples: tracegauge compare reports/quick-20260202-101500 reports/quick-20260209-093000

    tracegauge compare 0001 0002 --rename "test_old=test_new"
    """
    from tracegauge.cli.outputs import check_writable, console_beside, write_outputs
    from tracegauge.gate import exit_code
    from tracegauge.gate.compare import compare_runs
    from tracegauge.gate.compare_runs import DEFAULT_METRICS
    from tracegauge.reporting import print_comparison, render_comparison, render_comparison_junit, write_comparison

    check_writable(html, junit_xml, markdown)
    comparison = compare_runs(
        base,
        candidate,
        margin=margin,
        renamed=rename or (),
        metrics=metric or DEFAULT_METRICS,
        allow_different_machines=allow_different_machines,
    )
    print_comparison(comparison, console_beside(as_json))
    texts = {junit_xml: lambda: render_comparison_junit(comparison), markdown: lambda: render_comparison(comparison)}
    if html:
        write_comparison(comparison, html)
    write_outputs(comparison, texts, as_json=as_json)
    return REFUSED if comparison.refused else exit_code(comparison.verdict)
