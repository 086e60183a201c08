"""Everything that the views of one campaign show, worked out once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from tracegauge.reporting.palette import Style, styles
from tracegauge.reporting.tables import cost_table, failure_table, loss_table, overhead_table
from tracegauge.results import CampaignVerdict
from tracegauge.results.files import CampaignResults
from tracegauge.results.judges_report import JudgesReport

MOST_DRAWN = 60
"""Cells that a figure has room for; tables have room for all."""


@dataclass(frozen=True)
class ReportData:
    """A campaign, its verdict, and the frames of `tables` on demand."""

    results: CampaignResults
    verdict: CampaignVerdict
    judges: JudgesReport | None = None
    """None where the campaign's folder says nothing of judges."""

    @cached_property
    def costs(self) -> pd.DataFrame:
        """See `tables.cost_table`."""
        return cost_table(self.results)

    @cached_property
    def overheads(self) -> pd.DataFrame:
        """See `tables.overhead_table`."""
        return overhead_table(self.results)

    @cached_property
    def losses(self) -> pd.DataFrame:
        """See `tables.loss_table`."""
        return loss_table(self.results)

    @cached_property
    def failures(self) -> pd.DataFrame:
        """See `tables.failure_table`."""
        return failure_table(self.results)

    @cached_property
    def styles(self) -> Mapping[str, Style]:
        """Colour and marker of each instrument."""
        return styles(cell.instrument for cell in self.results.cells.values())

    @cached_property
    def drawn(self) -> list[str]:
        """The cells that figures show, in the order of the matrix; of too many, those of criteria and those that failed
        come before others."""
        judged = (*self.verdict.criteria, *self.verdict.controls)
        named = {cell for criterion in judged for cell in (criterion.candidate, criterion.baseline)}
        failed = self.losses.failed > 0
        ranked = sorted(self.results.cells, key=lambda cell: (cell not in named, not failed[cell]))
        kept = set(ranked[:MOST_DRAWN])
        return [cell for cell in self.results.cells if cell in kept]

    def without_controls(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the matrix's own cells, by cell: what a cell that was slowed down on purpose costs is no finding.

        All rows, if controls are all that there is.
        """
        own = frame[[self.results.cells[cell].control is None for cell in frame.index]]
        return frame if own.empty else own

    def titled(self, title: str) -> str:
        """A figure's title, with how many of how many cells it shows where it can't show all."""
        shown, cells = len(self.drawn), len(self.results.cells)
        return title if shown == cells else f"{title} ({shown} of {cells} cells)"

    def style(self, cell: str) -> Style:
        """Colour and marker of a cell's instrument."""
        return self.styles[self.results.cells[cell].instrument]

    def label(self, cell: str) -> str:
        """What tells a cell from the others of its workflow: "autolog · sqlite · c8"."""
        return " · ".join(self.label_parts(cell))

    def label_parts(self, cell: str) -> list[str]:
        """The names that a cell's label is made of."""
        of = self.results.cells[cell]
        concurrency = f"c{of.concurrency}" if self._many_concurrencies else None
        delivery = of.delivery if self._many_deliveries else None
        control = {"aa": "A/A", "injected": f"slowed {of.slowdown:.0%}"}.get(of.control or "")
        parts = (of.instrument, of.backend, delivery, concurrency, of.environment, control)
        return [part for part in parts if part]

    @cached_property
    def _many_concurrencies(self) -> bool:
        return len({cell.concurrency for cell in self.results.cells.values()}) > 1

    @cached_property
    def _many_deliveries(self) -> bool:
        return len({cell.delivery for cell in self.results.cells.values() if cell.delivery}) > 1


def values_of(frame: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """The rows of one quantity, by cell; cells that have no value of it are left out."""
    if quantity not in frame.index.get_level_values("quantity"):
        return frame.iloc[:0].droplevel("quantity")
    return frame.xs(quantity, level="quantity").dropna(subset="median")
