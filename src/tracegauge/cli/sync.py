"""`tracegauge sync`: a fallback store goes home to the server."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.config.errors import ConfigError

if TYPE_CHECKING:
    from tracegauge.stores.sync_report import SyncReport

_COULD_NOT = 4
_SHOWN = 20


def sync(
    source: Annotated[str, typer.Option("--from", help="The database to copy, such as sqlite:///mlflow.db.")],
    target: Annotated[str, typer.Option("--to", help="http://server, or another database.")],
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two passes of --watch.")] = 30.0,
    prune: Annotated[bool, typer.Option("--prune", help="Delete from the source what is in the target.")] = False,
    give_up_after: Annotated[float, typer.Option(min=0, help="Seconds to try again while the target is away.")] = 300.0,
    spill: Annotated[Path, typer.Option(help="Folder where the tracker keeps traces that no store took.")] = Path(
        ".tracegauge/spill"
    ),
    artifact_root: Annotated[
        Path | None, typer.Option(help="Folder for artifacts, if the target is a database.")
    ] = None,
) -> int:
    """Copy runs and traces of a database to a server or another database, without ever doubling one.

    It can be interrupted and repeated at any moment. What was copied is marked in the source, not deleted.

    Example: tracegauge sync --from sqlite:///mlflow.db --to http://localhost:5000
    """
    from rich.console import Console

    from tracegauge.cli.progress import progress_bar
    from tracegauge.stores.errors import StoreError
    from tracegauge.stores.quiet import schema_steps_untold
    from tracegauge.stores.sync import SyncOptions
    from tracegauge.stores.sync import sync as sync_once
    from tracegauge.stores.sync import watch as sync_for_ever

    if watch and prune:
        raise ConfigError("--watch and --prune don't go together", hint="prune once, when the server has everything")
    options = SyncOptions(
        prune=prune,
        give_up_after_s=None if watch else give_up_after,
        spill_folder=spill,
        artifact_root=artifact_root,
        on_pause=_show_pause,
    )
    try:
        with schema_steps_untold():
            if watch:
                sync_for_ever(source, target, options, _News().tell, interval)
            with progress_bar(Console(stderr=True), "finding what is there") as tell:
                report = sync_once(source, target, replace(options, on_progress=tell))
    except StoreError as error:
        typer.echo(f"error: {error}\nWhat is copied so far stays; run the same command again to go on.", err=True)
        return _COULD_NOT
    typer.echo(_text(report))
    return 0 if report.complete else _COULD_NOT


def _show_pause(reason: str, seconds: float) -> None:
    print(f"trying again in {seconds:.0f} s: {reason[:200]}", file=sys.stderr, flush=True)  # noqa: T201


class _News:
    """Prints the reports of `--watch`, except for one that says what the one before it said."""

    def __init__(self) -> None:
        self._told = ""

    def tell(self, report: "SyncReport") -> None:
        text = _text(report)
        if text != self._told:
            typer.echo(text)
        self._told = text


def _text(report: "SyncReport") -> str:
    lines = []
    for finding in report.findings[:_SHOWN]:
        times = f" ({finding.count} times)" if finding.count > 1 else ""
        lines.append(f"{finding.action} {finding.kind}: {finding.path}: {finding.reason}{times}")
    if len(report.findings) > _SHOWN:
        lines.append(f"… and {len(report.findings) - _SHOWN} more")
    return "\n".join([*lines, report.summary()])
