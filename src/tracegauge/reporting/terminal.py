"""The verdict and the costs in the terminal, with rich: narrow terminals and NO_COLOR are respected."""

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from tracegauge.reporting.cost_view import compact_columns, number_of
from tracegauge.reporting.data import ReportData
from tracegauge.reporting.words import (
    against_sentence,
    criterion_words,
    difference_words,
    scope_sentence,
    verdict_sentence,
)
from tracegauge.results import CampaignVerdict

STYLES = {"PASS": "bold green", "REGRESSED": "bold red", "INCONCLUSIVE": "bold yellow"}
NARROW, TINY = 100, 60
"""Columns below which the table of criteria becomes a list, and costs go without the less telling columns; and below
which only the first cost is left."""


def print_report(data: ReportData, console: Console) -> None:
    """Print costs, then criteria, warnings and the verdict, so that what matters most stands last."""
    console.print(cost_table(data, console.width))
    console.print(verdict_view(data.verdict, console.width))
    console.print(Text(scope_sentence(data), style="dim"))
    against = data.results.record.against
    if against:
        console.print(Text(against_sentence(against), style="dim"))
        for difference in against.packages:
            console.print(Text(f"  {difference_words(difference)}", style="dim"))


def verdict_view(verdict: CampaignVerdict, width: int) -> RenderableType:
    """The criteria, why those that didn't pass did not, the warnings, and the verdict in one sentence."""
    parts: list[RenderableType] = []
    if verdict.criteria:
        parts.append(_criteria_list(verdict) if width < NARROW else _criteria_table(verdict))
    if warned := (*verdict.reasons, *verdict.warnings):
        warnings = Table.grid(Column(), Column(overflow="fold"), padding=(0, 1))
        for warning in warned:
            warnings.add_row(Text("warning", style="bold yellow"), Text(warning))
        parts.append(warnings)
    parts.append(Text.assemble(_badge(verdict.verdict), "  ", verdict_sentence(verdict)))
    return Group(*parts)


def cost_table(data: ReportData, width: int) -> Table:
    """One row per cell: the few numbers that matter most. Failed cells say what is wrong."""
    table = Table(title="Costs, medians over blocks", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("cell", overflow="fold")
    columns = compact_columns()[: 1 if width < TINY else 3 if width < NARROW else None]
    for column in columns:
        table.add_column(Text(column.heading), justify="right")
    table.add_column("lost", justify="right")
    table.add_column("blocks")
    workflow = None
    for cell, of in data.results.cells.items():
        if of.workflow != workflow:
            table.add_row(Text(of.workflow, style="bold"))
        workflow = of.workflow
        loss = data.losses.loc[cell]
        numbers = [number_of(data, cell, column) for column in columns]
        lost = f"{loss.lost:,}/{loss.made:,}" if loss.made else "–"
        blocks = Text(f"{loss.measured - loss.failed} of {loss.m}")
        if loss.failed:
            blocks.append(f" {loss.what}", style="red")
        table.add_row(
            Text(f"  {data.label(cell)}"),
            *(Text(number.text + ("" if number.sound else "†")) for number in numbers),
            Text(lost, style="bold red" if loss.lost else ""),
            blocks,
        )
    if any(not number_of(data, cell, column).sound for cell in data.results.cells for column in columns):
        table.caption = "† no block passed its checks: the numbers are those of blocks that failed them"
    return table


def _criteria_table(verdict: CampaignVerdict) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("verdict", "claim", "found [95% interval]", "allowed", "blocks"):
        table.add_column(heading, overflow="fold")
    for criterion in verdict.criteria:
        words = criterion_words(criterion)
        claim = Text.assemble(words.claim, (f"  {words.id}", "dim"))
        if words.verdict != "PASS":
            claim.append(f"\n{words.reason}", style="dim")
        table.add_row(_badge(words.verdict), claim, Text(words.estimate), Text(words.allowed), Text(words.coverage))
    return table


def _criteria_list(verdict: CampaignVerdict) -> Table:
    items = Table.grid(Column(), Column(overflow="fold"), padding=(0, 1))
    for criterion in verdict.criteria:
        words = criterion_words(criterion)
        found = f"\n{words.estimate}, allowed {words.allowed}, {words.coverage} blocks"
        text = Text.assemble(words.claim, (f"  {words.id}", "dim"), found)
        if words.verdict != "PASS":
            text.append(f"\n{words.reason}", style="dim")
        items.add_row(_badge(words.verdict), text)
    return items


def _badge(verdict: str) -> Text:
    return Text(verdict, style=STYLES[verdict])
