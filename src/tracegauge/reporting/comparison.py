"""A comparison of two saved runs in words and in the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tracegauge.reporting.numbers import MISSING, render_change, render_value
from tracegauge.reporting.terminal import NARROW, STYLES
from tracegauge.results import METRICS, Verdict
from tracegauge.results.comparison import ComparedMetric, Comparison, RunRef


@dataclass(frozen=True)
class RowWords:
    """One row, ready to be shown."""

    verdict: str
    id: str
    """With the old id where it was renamed."""
    metric: str
    base: str
    candidate: str
    change: str
    """With its interval."""
    reason: str


def row_words(row: ComparedMetric) -> RowWords:
    """One row of the comparison."""
    label = METRICS[row.metric].label if row.metric in METRICS else row.metric
    interval = f" [{', '.join(render_change(limit) for limit in row.interval)}]" if row.interval else ""
    return RowWords(
        verdict=str(row.verdict),
        id=row.id if row.id == row.base_id else f"{row.id} (was {row.base_id})",
        metric=label,
        base=_median(row.base_median, row.unit, row.base_n, row.values),
        candidate=_median(row.candidate_median, row.unit, row.candidate_n, row.values),
        change=f"{render_change(row.estimate)}{interval}",
        reason=row.reason,
    )


def comparison_sentence(comparison: Comparison) -> str:
    """The whole comparison in one sentence."""
    if comparison.refused:
        return "The runs come from different machines: no verdict without --allow-different-machines."
    verdicts = [row.verdict for row in comparison.rows]
    named = (
        (Verdict.REGRESSED, "regressed"),
        (Verdict.INCONCLUSIVE, "can't be told"),
        (Verdict.PASS, "passed"),
    )
    parts = [f"{verdicts.count(verdict)} {word}" for verdict, word in named if verdict in verdicts]
    return (
        f"Of {len(verdicts)} compared numbers, {', '.join(parts)}; allowed is {render_change(1 + comparison.margin)}."
    )


def unmatched(comparison: Comparison) -> Iterator[str]:
    """Ids that only one side has, a line each."""
    yield from (f"missing in the candidate: {one}" for one in comparison.missing)
    yield from (f"new in the candidate: {one}" for one in comparison.new)


def run_words(run: RunRef) -> str:
    """Which run it is: path, time and commit."""
    commit = f"commit {run.commit[:12]}" if run.commit else None
    return ", ".join(part for part in (run.path, run.measured_at, commit) if part)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The rows, what has no counterpart, the warnings, and the verdict last."""
    console.print(Text(f"base:      {run_words(comparison.base)}"), soft_wrap=True)
    console.print(Text(f"candidate: {run_words(comparison.candidate)}"), soft_wrap=True)
    rows = [row_words(row) for row in comparison.rows]
    console.print(_list(rows) if console.width < NARROW else _table(rows))
    for line in unmatched(comparison):
        console.print(Text(line, style="bold"))
    for warning in comparison.warnings:
        console.print(Text.assemble(("warning ", "bold yellow"), warning))
    verdict = Text(str(comparison.verdict), style=STYLES[comparison.verdict])
    badge = Text("REFUSED", style="bold red") if comparison.refused else verdict
    console.print(Text.assemble(badge, "  ", comparison_sentence(comparison)))


def _table(rows: Sequence[RowWords]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("verdict", "id", "metric", "base", "candidate", "change [95% interval]"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        found = [row.id, row.metric, row.base, row.candidate, row.change]
        table.add_row(Text(row.verdict, style=STYLES[row.verdict]), *map(Text, found))
    return table


def _list(rows: Sequence[RowWords]) -> Table:
    """For narrow terminals, in which the columns of a table would be a few letters wide."""
    items = Table.grid(Column(), Column(overflow="fold"), padding=(0, 1))
    for row in rows:
        found = f"\n{row.metric}\n{row.base} → {row.candidate}: {row.change}"
        items.add_row(Text(row.verdict, style=STYLES[row.verdict]), Text.assemble((row.id, "bold"), found))
    return items


def _median(value: float | None, unit: str, n: int, values: str) -> str:
    if value is None:
        return MISSING
    return f"{render_value(value, unit)} ({n} {values})" if n else render_value(value, unit)
