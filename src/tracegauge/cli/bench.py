"""`tracegauge bench`: measure a campaign, judge it, report it."""

from pathlib import Path
from typing import Annotated

import typer

from tracegauge.cli.outputs import AsJson, JUnitFile, MarkdownFile


def bench(
    campaign: Annotated[
        str,
        typer.Argument(
            help="A campaign file; or a workflow to put through the quick campaign: a workflow file, "
            "langgraph.json[#graph] or module:attribute."
        ),
    ] = "bench/quick.yaml",
    inputs: Annotated[
        str | None, typer.Option(help="JSON or YAML file with one input or a list of them, for a workflow.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that the campaign's own folder is made in.")] = Path("reports"),
    against: Annotated[
        str | None,
        typer.Option(
            help="Measure another side in the same blocks, and judge whether here is slower: a git revision of the "
            "repository, or a requirement such as mlflow==3.9.0."
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, help="With --against: the allowed relative slowdown of each cell.")
    ] = 0.05,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Time for measuring blocks, such as 20m: add blocks until every criterion is decided, rather than the "
            "number that the campaign says."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest, interrupted measurement of this campaign.")
    ] = False,
    junit_xml: JUnitFile = None,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
) -> int:
    """Measure what tracing costs, judge it against the campaign's criteria, and write a report.

    Exit code: 0 every criterion passes, 1 one regressed, 2 inconclusive, 3 usage error, 4 could not measure.

    Examples: tracegauge bench bench/quick.yaml

    tracegauge bench examples/own_graph/langgraph.json --against mlflow==3.9.0 --budget 20m
    """
    from tracegauge.cli.measuring import measure_and_report
    from tracegauge.cli.outputs import check_writable, console_beside, write_verdict
    from tracegauge.config.durations import duration_s, is_duration
    from tracegauge.config.errors import ConfigError
    from tracegauge.gate import exit_code
    from tracegauge.measure import campaign_for, placed_in
    from tracegauge.reporting import print_report, read_report_data

    if budget is not None and not is_duration(budget):
        raise ConfigError(f"--budget {budget!r} is no duration", hint="write 90s, 20m or 1h")
    check_writable(junit_xml, markdown)
    console = console_beside(as_json)
    command = ["tracegauge", "bench", campaign, *(["--inputs", inputs] if inputs else []), "--out", str(out)]
    if against is not None:
        command += ["--against", against, "--margin", f"{margin:g}"]
    with placed_in(campaign):
        plan = campaign_for(campaign, inputs)
        if budget is not None:
            command += ["--budget", budget]
            plan = plan.model_copy(update={"measure": plan.measure.within(duration_s(budget))})
        folder, verdict = measure_and_report(plan, out, command, console, resume=resume, against=against, margin=margin)
    print_report(read_report_data(folder), console)
    console.print(f"report: {folder / 'index.html'}", soft_wrap=True)
    write_verdict(folder, verdict, junit_xml=junit_xml, markdown=markdown, as_json=as_json)
    return exit_code(verdict.verdict)
