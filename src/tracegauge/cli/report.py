"""`tracegauge report`: write the report of a measured campaign anew, draw one figure of it, or look back at all."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.outputs import AsJson, JUnitFile, MarkdownFile
from tracegauge.config.errors import ConfigError, nearest

if TYPE_CHECKING:
    from rich.console import Console


class FigureFormat(StrEnum):
    """How a figure is written."""

    PNG = "png"
    SVG = "svg"


def report(
    target: Annotated[
        str | None,
        typer.Argument(
            help="Folder of a campaign; or a figure of it, such as cost_ladder; or, with --history, a campaign's name. "
            "Default: the newest campaign."
        ),
    ] = None,
    of: Annotated[
        Path | None, typer.Option("--of", help="Campaign folder that a figure is of. Default: the newest.")
    ] = None,
    figure_format: Annotated[
        FigureFormat, typer.Option("--format", help="Format of a figure; PNG has twice the natural size.")
    ] = FigureFormat.PNG,
    out: Annotated[Path | None, typer.Option(help="File of a figure. Default: FIGURE.png or FIGURE.svg here.")] = None,
    reports: Annotated[Path, typer.Option(help="Folder that the campaigns' own folders are in.")] = Path("reports"),
    history: Annotated[
        bool, typer.Option("--history", help="The trend of each cell over the saved campaigns.")
    ] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page, of the newest report by default.")] = False,
    junit_xml: JUnitFile = None,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
) -> int:
    """Judge what a campaign's folder holds and write its report again; half-measured campaigns too.

    Exit code: as of `tracegauge bench` for a campaign, 0 for figures, --history and --open alone.

    Examples: tracegauge report reports/quick-20260202-101500

    tracegauge report cost_ladder --format svg

    tracegauge report --history quick

    tracegauge report --open
    """
    from tracegauge.cli.outputs import check_writable, console_beside
    from tracegauge.reporting import FIGURES, newest_campaign

    check_writable(junit_xml, markdown)
    console = console_beside(as_json)
    if history:
        return _history(reports, target, console, open_it=open_it, as_json=as_json)
    if target in FIGURES:
        _draw(str(target), of or newest_campaign(reports).folder, figure_format, out)
        return 0
    if of or out:
        raise ConfigError("--of and --out are for a figure", hint=f"name one: {', '.join(FIGURES)}")
    if target is None:
        newest = newest_campaign(reports)
        if open_it and newest.page and not as_json:
            _open(newest.page, console)
            return 0
    elif not Path(target).exists() and "/" not in target:
        raise ConfigError(
            f"{target}: there is no such folder, nor a figure of that name", hint=nearest(target, FIGURES)
        )
    folder = Path(target) if target else newest.folder
    return _report(folder, console, open_it=open_it, junit_xml=junit_xml, markdown=markdown, as_json=as_json)


def _report(
    folder: Path,
    console: "Console",
    *,
    open_it: bool,
    junit_xml: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> int:
    from tracegauge.cli.outputs import write_verdict
    from tracegauge.cli.progress import progress_bar
    from tracegauge.gate import exit_code, judge_campaign
    from tracegauge.reporting import ReportData, print_report, write_index, write_report
    from tracegauge.results.files import VERDICT_FILE, read_campaign, write_record
    from tracegauge.results.judges_report import read_judges

    with progress_bar(console, "reading and judging what was measured") as tell:
        results = read_campaign(folder)
        data = ReportData(results, judge_campaign(results), read_judges(folder))
        write_record(folder / VERDICT_FILE, data.verdict)
        page = write_report(folder, data, tell)
    write_index(folder.absolute().parent)
    print_report(data, console)
    console.print(f"report: {page}", soft_wrap=True)
    if open_it:
        _open(page, console)
    write_verdict(folder, data.verdict, junit_xml=junit_xml, markdown=markdown, as_json=as_json)
    return exit_code(data.verdict.verdict)


def _draw(name: str, folder: Path, figure_format: FigureFormat, out: Path | None) -> None:
    from tracegauge.gate import judge_campaign
    from tracegauge.reporting import ReportData, draw_figure, write_figure
    from tracegauge.results.files import read_campaign
    from tracegauge.results.judges_report import read_judges

    path = out or Path(f"{name}.{figure_format}")
    if path.suffix not in (".png", ".svg"):
        raise ConfigError(f"{path} is neither PNG nor SVG", hint="let its name end in .png or .svg")
    results = read_campaign(folder)
    data = ReportData(results, judge_campaign(results), read_judges(folder))
    try:
        finding = write_figure(name, data, path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from error
    if finding is None:
        raise ConfigError(f"{folder}: {draw_figure(name, data).finding}")
    typer.echo(finding)
    typer.echo(f"figure: {path}")


def _history(reports: Path, name: str | None, console: "Console", *, open_it: bool, as_json: bool) -> int:
    import json

    from tracegauge.cli.progress import spinner
    from tracegauge.reporting import history_records, print_history, read_histories, write_history, write_index

    with spinner(console, "reading the saved campaigns"):
        histories = read_histories(reports, name)
        page = write_history(reports, histories)
        write_index(reports)
    print_history(histories, console)
    console.print(f"history: {page}", soft_wrap=True)
    if open_it:
        _open(page, console)
    if as_json:
        typer.echo(json.dumps(history_records(histories), indent=2, ensure_ascii=False))
    return 0


def _open(page: Path, console: "Console") -> None:
    """Open the page in the browser that the user has set; without one, its path is what is left."""
    import webbrowser

    opened = webbrowser.open(page.absolute().as_uri())
    console.print(f"{'opened' if opened else 'no browser was found; open'} {page}", soft_wrap=True)
