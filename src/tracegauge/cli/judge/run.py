"""`tracegauge judge run`: score everything that is due, once."""

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.lint import Files
from tracegauge.cli.judge.options import Experiments, Filter, Model, Only, Since, Store, judging, open_work
from tracegauge.cli.outputs import AsJson

if TYPE_CHECKING:
    from tracegauge.judging.engine.engine import JudgeRun
    from tracegauge.judging.engine.estimate import Estimate

_USAGE = 3
_BAD = 1


def run(
    files: Files = None,
    store: Store = None,
    experiments: Experiments = None,
    only: Only = None,
    model: Model = None,
    since: Since = None,
    filter_string: Filter = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many traces for each judge, at most.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate calls, tokens and cost; ask and write nothing.")
    ] = False,
    minimum_pass_rate: Annotated[
        float | None, typer.Option("--minimum-pass-rate", min=0, max=1, help="Exit with 1 where a judge's is lower.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score the traces of a store that are due: new ones, and what failed or was skipped before.

    A trace is scored once by each judge, however often this runs or is interrupted. Failures are kept, shown by
    `tracegauge judge status`, and tried again.

    Example: tracegauge judge run judges --store sqlite:///mlflow.db --since 7d
    """
    from rich.console import Console

    from tracegauge.cli.progress import progress_bar
    from tracegauge.judging.engine.engine import Selection
    from tracegauge.judging.engine.work import since_ms

    say = partial(typer.echo, err=as_json)
    selection = Selection(since_ms(since), filter_string, limit)
    work = open_work(files, model, store, experiments, only)
    if dry_run:
        estimates = work.estimate(selection)
        for one in estimates:
            say(_estimate_line(one))
        if as_json:
            told = [{**asdict(one), "usage": one.usage.model_dump()} for one in estimates]
            typer.echo(json.dumps({"estimates": told}, indent=2))
        raise typer.Exit(_USAGE if any(one.error for one in estimates) else 0)
    with judging(), progress_bar(Console(stderr=True), "looking for traces") as tell:
        runs = work.run(selection, on_progress=lambda done, total: tell(done, total, "scoring"))
    for done in runs:
        say(_run_line(done))
    statuses = work.status().judges
    if any(done.counts["failed"] for done in runs):
        typer.echo("`tracegauge judge status` with the same judges and store tells why they failed", err=True)
    labels = list(dict.fromkeys(label for one in statuses for label in one.labels))
    for label in labels:
        say(label)
    bad = []
    if minimum_pass_rate is not None:
        for status in statuses:
            share = status.passed.share if status.passed else None
            if share is not None and share < minimum_pass_rate:
                bad.append(status.judge)
                say(f"{status.judge}: pass rate {share:.1%} is below {minimum_pass_rate:.1%}")
    if as_json:
        judges = [_as_json(done) for done in runs]
        typer.echo(json.dumps({"judges": judges, "labels": labels, "below_minimum_pass_rate": bad}, indent=2))
    if any(one.error for one in runs):
        raise typer.Exit(_USAGE)
    raise typer.Exit(_BAD if bad else 0)


def _as_json(done: "JudgeRun") -> dict[str, str | int | None]:
    return {"judge": done.judge, **{state: done.counts[state] for state in _STATES}, "error": done.error}


def _run_line(done: "JudgeRun") -> str:
    said = [f"{done.counts[state]} {words}" for state, words in _STATES.items() if done.counts[state]]
    if not said and not done.error:
        said = ["nothing due"]
    return f"{done.judge}: {'; '.join(filter(None, (', '.join(said), done.error)))}"


_STATES = {"scored": "scored", "failed": "failed", "skipped_by_budget": "skipped by budget"}


def _estimate_line(one: "Estimate") -> str:
    if one.error:
        return f"{one.judge}: {one.error}"
    if not one.calls:
        return f"{one.judge}: {one.due} due, no calls"
    cost = "price not known" if one.usage.cost_usd is None else f"${one.usage.cost_usd:.4f}"
    rests_on = f" (from {one.read} of them)" if one.read < one.due else ""
    return (
        f"{one.judge}: {one.due} due, about {one.calls} calls, {one.usage.input_tokens} tokens in and "
        f"{one.usage.output_tokens} out, {cost}{rests_on}"
    )
