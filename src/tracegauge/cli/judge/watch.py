"""`tracegauge judge watch`: score traces as they come."""

import typer

from tracegauge.cli.judge.lint import Files
from tracegauge.cli.judge.options import Experiments, Filter, Model, Only, Since, Store, judging, open_work


def watch(
    files: Files = None,
    store: Store = None,
    experiments: Experiments = None,
    only: Only = None,
    model: Model = None,
    since: Since = None,
    filter_string: Filter = None,
) -> None:
    """Score what is due, then new traces as they finish, until Ctrl-C. What failed is tried again later.

    Conversations are judged when nothing has come for five minutes. One watch or run works on a store at a time.

    Example: tracegauge judge watch judges --store http://127.0.0.1:5000
    """
    from tracegauge.judging.engine.engine import Selection
    from tracegauge.judging.engine.work import since_ms
    from tracegauge.tracking.server_check import without_password

    work = open_work(files, model, store, experiments, only)
    names = ", ".join(work.names)
    typer.echo(f"watching {without_password(work.uri)} with {names}; Ctrl-C ends it, and nothing is lost", err=True)
    with judging():
        work.watch(
            Selection(since_ms(since), filter_string),
            lambda judge, message: typer.echo(f"{judge}: {message}", err=True),
        )
