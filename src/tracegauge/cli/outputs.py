"""What commands can write for CI and programs, beside what they print."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.config.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from tracegauge.results import CampaignVerdict

JUnitFile = Annotated[
    Path | None, typer.Option("--junit-xml", metavar="FILE", help="Write the verdicts as JUnit XML, for CI.")
]
MarkdownFile = Annotated[
    Path | None,
    typer.Option("--markdown", metavar="FILE", help="Write a Markdown table, for a pull request or a job summary."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the outcome as JSON and nothing else; messages go to standard error.")
]


def console_beside(as_json: bool) -> "Console":
    """Where people are spoken to: standard output, unless that takes JSON."""
    from rich.console import Console

    return Console(stderr=as_json)


def check_writable(*files: Path | None) -> None:
    """Raises ConfigError for a file that could not be written in the end, before anything is measured."""
    for file in files:
        if file is not None and (file.is_dir() or not file.parent.is_dir()):
            raise ConfigError(f"{file} can't be written", hint="name a file in a folder that exists")


def write_outputs(record: "BaseModel", texts: Mapping[Path | None, Callable[[], str]], *, as_json: bool) -> None:
    """Write each text to its file, where one is named, and print the record as JSON where that is asked for."""
    from tracegauge.results.files import write_atomically

    for file, render in texts.items():
        if file is not None:
            try:
                write_atomically(file, render())
            except OSError as error:
                raise ConfigError(f"{file} can't be written: {error.strerror}") from error
    if as_json:
        typer.echo(record.model_dump_json(indent=2))


def write_verdict(
    folder: Path, verdict: "CampaignVerdict", *, junit_xml: Path | None, markdown: Path | None, as_json: bool
) -> None:
    """What is asked for of a judged campaign's verdict."""
    from tracegauge.reporting import render_markdown, render_verdict_junit
    from tracegauge.results.files import read_campaign

    texts = {
        junit_xml: lambda: render_verdict_junit(verdict),
        markdown: lambda: render_markdown(verdict, read_campaign(folder).record.against),
    }
    write_outputs(verdict, texts, as_json=as_json)
