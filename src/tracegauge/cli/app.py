"""The `tracegauge` command: its subcommands, and how their errors become messages and exit codes.

Commands import what they need when they are called: `--help` must not wait for MLflow.
"""

import sys
from typing import Annotated, Any

import typer

from tracegauge import __version__
from tracegauge.cli.bench import bench
from tracegauge.cli.compare import compare
from tracegauge.cli.demo import demo
from tracegauge.cli.doctor import doctor
from tracegauge.cli.init import init
from tracegauge.cli.judge import judge
from tracegauge.cli.migrate import migrate
from tracegauge.cli.mock_llm import mock_llm
from tracegauge.cli.report import report
from tracegauge.cli.run import run as run_workflow
from tracegauge.cli.sync import sync
from tracegauge.config.errors import ConfigError
from tracegauge.config.mlflow_environment import set_mlflow_defaults

USAGE = 3
COULD_NOT_MEASURE = 4
INTERRUPTED = 130

# Typer has a click of its own, whose exceptions it exports only in part.
ClickException: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="tracegauge",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What MLflow tracing costs your LangGraph agents, and how good their answers are.",
    epilog="Start with: tracegauge demo",
)
app.command()(demo)
app.command()(init)
app.command("run")(run_workflow)
app.command()(bench)
app.command()(compare)
app.command()(report)
app.command()(migrate)
app.command()(sync)
app.command()(doctor)
app.add_typer(judge, name="judge")
app.command("mock-llm")(mock_llm)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tracegauge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        from rich.console import Console

        from tracegauge.cli.landing import print_landing

        print_landing(Console(highlight=False))


def run() -> None:
    """Run the command line; always ends in SystemExit."""
    set_mlflow_defaults()
    try:
        code = app(standalone_mode=False)
    except ClickException as error:  # typer's own usage errors, whose exit code would be 2
        error.show()
        sys.exit(USAGE)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(INTERRUPTED)
    except ConfigError as error:
        _fail(error, USAGE)
    except Exception as error:
        from tracegauge.measure.prepare import CouldNotMeasureError
        from tracegauge.results.files import ResultFileError

        if isinstance(error, ResultFileError):
            _fail(error, USAGE)
        if isinstance(error, CouldNotMeasureError):
            _fail(error, COULD_NOT_MEASURE)
        raise
    sys.exit(code or 0)


def _fail(error: Exception, code: int) -> None:
    typer.echo(f"error: {error}", err=True)
    sys.exit(code)
