"""`tracegauge judge apply`: bring judge files into an MLflow store."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.lint import DEFAULT_FILES, Files
from tracegauge.cli.judge.options import Store
from tracegauge.cli.outputs import AsJson, console_beside

if TYPE_CHECKING:
    from rich.console import Console

    from tracegauge.judging.apply import Plan

_MARKS = {
    "new": "[green]+[/green]",
    "changed": "[yellow]~[/yellow]",
    "unchanged": "=",
    "ledger": "·",
    "refused": "[red]![/red]",
    "failed": "[red]✗[/red]",
}
_BAD = 1


def apply(
    files: Files = None,
    store: Store = None,
    experiment: Annotated[str, typer.Option("--experiment", "-e", help="Name of the experiment.")] = "Default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences, and change nothing.")] = False,
    start: Annotated[
        bool, typer.Option("--start", help="Start MLflow's online scoring too: needs a server and gateway:/ models.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Apply judges whose minimum_kappa is not met, too.")] = False,
    records: Annotated[
        Path, typer.Option("--records", help="Folder of calibrations.", show_default="calibrations")
    ] = Path("calibrations"),
    as_json: AsJson = False,
) -> int:
    """Register judges as MLflow scorers. An unchanged judge makes no new version.

    Example: tracegauge judge apply judges --store sqlite:///mlflow.db --experiment support --dry-run
    """
    from tracegauge.config.errors import ConfigError
    from tracegauge.config.judge_files import read_judge_files
    from tracegauge.config.validation import one_error
    from tracegauge.judging.apply import apply as apply_judges
    from tracegauge.judging.apply import find_experiment, plan
    from tracegauge.judging.checks import judge_faults
    from tracegauge.judging.store_check import usable_store
    from tracegauge.tracking.compat import tracking_uri
    from tracegauge.tracking.server_check import without_password

    read = read_judge_files(files or DEFAULT_FILES)
    faults = judge_faults(read)
    if faults:
        raise one_error(faults)
    judges = {one.spec.name: one.spec for one in read}
    uri = usable_store(store)
    with tracking_uri(uri):
        found = find_experiment(experiment)
        if dry_run:
            done = plan(judges, found, force=force, records=records)
        else:
            if found is None:
                raise ConfigError(
                    f"there is no experiment {experiment!r} in {without_password(uri)}",
                    hint="name the one that your traces are in: --experiment",
                )
            done = apply_judges(judges, found, force=force, start=start, records=records)
    _show(done, console_beside(as_json), dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2))
    return _BAD if any(step.action in ("refused", "failed") for step in done.steps) else 0


def _show(done: "Plan", console: "Console", *, dry_run: bool) -> None:
    from rich.markup import escape

    for step in done.steps:
        told = f"{step.action}{', started' if step.started else ''}: {escape(step.reason)}"
        console.print(f"{_MARKS[step.action]} [bold]{step.name}[/bold] {told}", soft_wrap=True, highlight=False)
        for note in step.notes:
            console.print(f"    {escape(note)}", style="dim", soft_wrap=True, highlight=False)
    for name in done.store_only:
        console.print(f"? [bold]{name}[/bold] in the store only; left alone", soft_wrap=True, highlight=False)
    if dry_run:
        console.print("nothing was changed (--dry-run)")
