"""`tracegauge doctor`: what a store is, and what is wrong with it."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tracegauge.stores.diagnosis import Diagnosis

_UNHEALTHY = 1
_COULD_NOT = 4


def doctor(
    uri: Annotated[
        str | None,
        typer.Argument(help="A tracking URI: ./mlruns, sqlite:///mlflow.db, … Default: what would be used here."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON.")] = False,
) -> int:
    """Look at a whole store and say what is wrong with it: schema, moved artifacts, dirt, orphans. Changes nothing.

    Exit code: 0 nothing is wrong, 1 something is.

    Example: tracegauge doctor sqlite:///mlflow.db
    """
    from rich.console import Console

    from tracegauge.cli.progress import spinner
    from tracegauge.stores.doctor import diagnose
    from tracegauge.stores.errors import StoreError
    from tracegauge.stores.quiet import schema_steps_untold

    try:
        with schema_steps_untold(), spinner(Console(stderr=True), "looking at the store"):
            diagnosis = diagnose(uri)
    except StoreError as error:
        typer.echo(f"error: {error}", err=True)
        return _COULD_NOT
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        _print(diagnosis)
    return 0 if diagnosis.healthy else _UNHEALTHY


def _print(diagnosis: "Diagnosis") -> None:
    typer.echo(f"{diagnosis.uri}: {diagnosis.kind}")
    for name, value in diagnosis.facts.items():
        typer.echo(f"  {name}: {value}")
    if diagnosis.holds:
        typer.echo("  holds " + ", ".join(f"{count} {kind}" for kind, count in diagnosis.holds.items()))
    for complaint in diagnosis.complaints:
        times = f" ({complaint.count} times)" if complaint.count > 1 else ""
        typer.echo(f"\n{complaint.severity}: {complaint.what}: {complaint.message}{times}")
        for example in complaint.examples:
            typer.echo(f"    {example}")
        typer.echo(f"  → {complaint.advice}")
    if not diagnosis.complaints:
        typer.echo("  nothing is wrong")
