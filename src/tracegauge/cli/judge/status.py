"""`tracegauge judge status`: where judges stand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.lint import Files
from tracegauge.cli.judge.options import Experiments, Model, Only, Store, open_work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracegauge.results.calibration import Share
    from tracegauge.results.judge_status import JudgeStatus


def status(
    files: Files = None,
    store: Store = None,
    experiments: Experiments = None,
    only: Only = None,
    model: Model = None,
    records: Annotated[Path, typer.Option(help="Folder of calibrations.")] = Path("calibrations"),
    as_json: Annotated[bool, typer.Option("--json", help="The whole of it as JSON, on standard output.")] = False,
) -> None:
    """Show for each judge what is due, scored, failed and skipped, and what its scores say of how many traces.

    Example: tracegauge judge status judges --store sqlite:///mlflow.db
    """
    report = open_work(files, model, store, experiments, only).status(records)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    for judge in report.judges:
        for line in status_lines(judge):
            typer.echo(line)


def status_lines(one: "JudgeStatus") -> "Iterator[str]":
    """What `judge status` says of one judge."""
    units = "traces" if one.scope == "trace" else "conversations"
    yield f"{one.judge} ({one.kind}, {one.digest})" + "".join(f"  [{label}]" for label in one.labels)
    yield (
        f"  {one.due} {units} due of {one.seen} seen ({one.sampled_out} sampled out): {one.scored} scored, "
        f"{one.failed} failed, {one.skipped_by_budget} skipped by budget, {one.waiting} waiting"
    )
    if one.passed is not None and one.pass_bounds is not None:
        low, high = one.pass_bounds
        bounds = f"; over all that is due between {low:.1%} and {high:.1%}" if one.scored < one.due else ""
        yield f"  passed {_share(one.passed)}{bounds}"
    if one.corrected is not None:
        interval = one.corrected.interval
        if one.corrected.rate is not None and interval is not None:
            yield f"  corrected for the judge's errors {one.corrected.rate:.1%} [{interval[0]:.1%}, {interval[1]:.1%}]"
        else:
            yield f"  not corrected for the judge's errors: {one.corrected.why_not}"
    if one.numbers is not None:
        spread = "" if one.numbers.interval is None else " [{:.3g}, {:.3g}]".format(*one.numbers.interval)
        yield f"  mean {one.numbers.mean:.3g}{spread} of {one.numbers.n} scored, {one.due} due"
    if one.distribution:
        yield "  " + ", ".join(f"{str(value.value).lower()}: {value.count}" for value in one.distribution)
    for failure in one.failures:
        again = f"; tried again from {failure.next_try:%Y-%m-%d %H:%M} UTC" if failure.next_try else "; not tried again"
        yield f"  {failure.count} failed ({failure.kind}): {failure.example}{again}"
    if len(one.trend) > 1:
        yield f"  by {one.trend_step}: " + "  ".join(
            f"{point.start:%m-%d %H:%M} {point.scored}/{point.due}"
            + ("" if point.passed is None or not point.scored else f" {point.passed / point.scored:.0%}")
            for point in one.trend[-7:]
        )
    cost = "price not known" if one.cost_usd is None else f"${one.cost_usd:.4f}"
    if one.calls:
        yield f"  {one.calls} calls, {one.input_tokens + one.output_tokens} tokens, {cost}, {one.cached} from cache"


def _share(share: "Share") -> str:
    low, high = share.interval or (0.0, 1.0)
    return f"{share.count / share.n:.1%} [{low:.1%}, {high:.1%}] of {share.n} scored"
