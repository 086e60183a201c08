"""`tracegauge judge`: judges of traces, from their files to their scores; one module per subcommand."""

import typer

from tracegauge.cli.judge.apply import apply
from tracegauge.cli.judge.audit import audit
from tracegauge.cli.judge.calibrate import calibrate
from tracegauge.cli.judge.compare import compare
from tracegauge.cli.judge.lint import lint
from tracegauge.cli.judge.run import run
from tracegauge.cli.judge.status import status
from tracegauge.cli.judge.watch import watch

judge = typer.Typer(
    no_args_is_help=True,
    help="Score traces with judges that are kept as YAML files, and show whether the judges deserve trust.",
    epilog="Start with: tracegauge judge lint judges",
)
judge.command()(lint)
judge.command()(apply)
judge.command()(calibrate)
judge.command()(audit)
judge.command()(compare)
judge.command()(run)
judge.command()(watch)
judge.command()(status)
