"""Options that commands over judges and a store share."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.lint import DEFAULT_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracegauge.judging.engine.work import Work

_COULD_NOT = 4

Store = Annotated[
    str | None,
    typer.Option("--store", help="URI of an MLflow store.", show_default="MLFLOW_TRACKING_URI, or MLflow's own"),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option("--experiment", "-e", help="Name of an experiment; may be repeated.", show_default="all"),
]
Only = Annotated[list[str] | None, typer.Option("--judge", help="Only this judge; may be repeated.")]
Model = Annotated[
    str | None, typer.Option(help="For judges without `model`.", show_default="the variable TRACEGAUGE_JUDGE_MODEL")
]
Since = Annotated[str | None, typer.Option(help="Only traces that began since: 2h, 7d, 2026-01-31T08:00 (UTC).")]
Filter = Annotated[str | None, typer.Option("--filter", help="An MLflow trace filter, beside the judges' own.")]


def open_work(
    files: list[str] | None,
    model: str | None,
    store: str | None,
    experiments: list[str] | None,
    only: list[str] | None,
) -> "Work":
    """Load the judges and open the store. Raises ConfigError."""
    from tracegauge.config.judge import load_judges
    from tracegauge.judging.engine.work import Work

    return Work(load_judges(files or DEFAULT_FILES, model), store, experiments or (), only or ())


@contextmanager
def judging() -> "Iterator[None]":
    """Leave with exit code 4 and a message where judging had to stop."""
    from tracegauge.judging.engine.work import JudgingStoppedError

    try:
        yield
    except JudgingStoppedError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(_COULD_NOT) from None
