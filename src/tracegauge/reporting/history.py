"""The costs of saved campaigns of one name over time, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tracegauge.reporting.data import values_of
from tracegauge.reporting.numbers import MISSING, render_change
from tracegauge.reporting.saved import SavedCampaign, saved_campaigns
from tracegauge.reporting.tables import cost_table
from tracegauge.results import Cell, metric
from tracegauge.results.files import CampaignResults, ResultFileError, read_campaign

HISTORY_SCHEMA_VERSION: Final = 1
QUANTITIES = ("latency_p50_ms", "cpu_ms_per_invocation")
_TICKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Trend:
    """One quantity of one cell over the campaigns that measured it."""

    cell: str
    quantity: str
    unit: str
    points: pd.DataFrame
    """Columns `x` (number of the campaign), `median`, `low`, `high`, `n`, `m`, `sound`; at least one row."""

    @property
    def medians(self) -> list[float]:
        """From the oldest campaign to the newest."""
        return [float(value) for value in self.points["median"]]

    @property
    def change(self) -> str:
        """The newest over the one before it, as "+4.2%"; a dash where there is only one."""
        *_, before, last = [float("nan"), *self.medians]
        return render_change(last / before) if before == before and before else MISSING

    @property
    def apart(self) -> bool:
        """Whether the newest interval and the one before it do not meet."""
        if len(self.points) < 2:
            return False
        before, last = self.points.iloc[-2], self.points.iloc[-1]
        return bool(last["low"] > before["high"] or last["high"] < before["low"])


@dataclass(frozen=True)
class History:
    """The campaigns of one name, the oldest first."""

    name: str
    campaigns: tuple[SavedCampaign, ...]
    results: tuple[CampaignResults, ...]
    """As many, and in the same order."""
    unreadable: tuple[str, ...] = ()
    """Why others were left out."""

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Every cell that some campaign has, in the order of the newest one's matrix."""
        newest_first = [results.cells for results in reversed(self.results)]
        return {cell: of for cells in newest_first for cell, of in cells.items()}

    @cached_property
    def trends(self) -> list[Trend]:
        """A trend for each cell and quantity that has numbers."""
        frames = []
        for number, results in enumerate(self.results):
            costs = cost_table(results)
            for quantity in QUANTITIES:
                frames.append(values_of(costs, quantity).assign(x=number, quantity=quantity).reset_index(names="cell"))
        points = pd.concat(frames)
        return [
            Trend(cell, quantity, metric(quantity).unit, some)
            for quantity in QUANTITIES
            for cell in self.cells
            if len(some := points[(points["cell"] == cell) & (points["quantity"] == quantity)])
        ]

    @property
    def machines(self) -> set[str]:
        """The hosts that it was measured on."""
        return {saved.environment.host for saved in self.campaigns if saved.environment}


def read_histories(reports: Path, name: str | None = None) -> list[History]:
    """The histories of all campaigns below the folder, or of those of one name; in the order of their newest one.

    Raises ResultFileError if there is none.
    """
    found = [one for one in saved_campaigns(reports) if isinstance(one, SavedCampaign)]
    names = [one for one in dict.fromkeys(saved.record.name for saved in found) if name in (None, one)]
    if not names:
        known = ", ".join(dict.fromkeys(saved.record.name for saved in found))
        what = f"of the name {name!r} " if name else ""
        raise ResultFileError(f"there is no campaign {what}in {reports}{f'; there are: {known}' if known else ''}")
    return [_history(one, [saved for saved in found if saved.record.name == one]) for one in names]


def sparkline(values: Sequence[float]) -> str:
    """The values as bars of one character each, between the smallest and the largest."""
    low, high = min(values), max(values)
    if high == low:
        return _TICKS[3] * len(values)
    return "".join(_TICKS[round((value - low) / (high - low) * (len(_TICKS) - 1))] for value in values)


def history_records(histories: Sequence[History]) -> dict[str, Any]:
    """Each point of each trend, unrounded, as plain records; what is not known is null."""
    return {
        "schema_version": HISTORY_SCHEMA_VERSION,
        "histories": [
            {
                "campaign": history.name,
                "folders": [str(saved.folder) for saved in history.campaigns],
                "started_at": [saved.record.started_at for saved in history.campaigns],
                "trends": [
                    {
                        "cell": trend.cell,
                        "quantity": trend.quantity,
                        "unit": trend.unit,
                        "points": _rows(trend.points[["x", "median", "low", "high", "n", "m", "sound"]]),
                    }
                    for trend in history.trends
                ],
                "unreadable": list(history.unreadable),
            }
            for history in histories
        ],
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _history(name: str, newest_first: Sequence[SavedCampaign]) -> History:
    campaigns, results, unreadable = [], [], []
    for saved in reversed(newest_first):
        try:
            read = read_campaign(saved.folder)
        except ResultFileError as error:
            unreadable.append(str(error))
            continue
        campaigns.append(saved)
        results.append(read)
    if not campaigns:
        raise ResultFileError("; ".join(unreadable))
    return History(name, tuple(campaigns), tuple(results), tuple(unreadable))
