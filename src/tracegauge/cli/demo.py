"""`tracegauge demo`: the quick campaign, from nothing to a report."""

from pathlib import Path
from typing import Annotated

import typer

from tracegauge.cli.outputs import AsJson


def demo(
    out: Annotated[Path, typer.Option(help="Folder that the campaign's own folder is made in.")] = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Measure a real LangGraph workflow under every instrument, on files and on SQLite, and write a report.

    Then ten traces of it are scored by judges. No API key is needed: the model is scripted, and judges ask a mock where
    TRACEGAUGE_JUDGE_MODEL names no model, which their scores say. The exit code says whether the demo ran, not what it
    found; use `tracegauge bench` for a verdict that a script can act on.

    Example: tracegauge demo
    """
    from tracegauge.cli.demo_judging import judge_demo
    from tracegauge.cli.judge.options import judging
    from tracegauge.cli.judge.status import status_lines
    from tracegauge.cli.measuring import measure_and_report
    from tracegauge.cli.outputs import console_beside, write_outputs
    from tracegauge.measure import campaign_for
    from tracegauge.reporting import print_report, read_report_data, write_report

    console = console_beside(as_json)
    console.print(
        "Measuring the article writer, five LLM nodes in a chain, off / legacy runs / manual spans / autolog,"
    )
    console.print("on a file store and on SQLite. This takes some minutes.")
    command = ["tracegauge", "bench", "bench/quick.yaml", "--out", str(out)]
    folder, verdict = measure_and_report(campaign_for("bench/quick.yaml"), out, command, console)
    console.print("\nTen traces of it, scored by judges that come with tracegauge:")
    with judging():
        judged = judge_demo(folder)
    for status in judged.judges:
        for line in status_lines(status):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    write_report(folder)
    print_report(read_report_data(folder), console)
    console.print(f"report: {folder / 'index.html'}", soft_wrap=True)
    console.print(f"\n`{' '.join(command)}` measures the same and would exit with the verdict: {verdict.verdict}.")
    write_outputs(verdict, {}, as_json=as_json)
