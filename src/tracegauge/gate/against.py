"""The criteria of a campaign that measures old and new: no cell is slower than it was, and none loses traces."""

from collections.abc import Iterator, Sequence

from tracegauge.results import Cell
from tracegauge.results.campaign_record import CriterionRecord

_COSTS = (("latency_p50_ms", "delays the caller"), ("cpu_ms_per_invocation", "costs CPU"))


def against_criteria(
    cells: Sequence[Cell], environment: str, reference: str, margin: float
) -> tuple[CriterionRecord, ...]:
    """For each cell of here: its latency and CPU against those of its counterpart in the other environment, which the
    user calls `reference`, and that it loses no trace. `margin` is the allowed relative change for the worse."""
    return tuple(criterion for cell in cells for criterion in _of_cell(cell, environment, reference, margin))


def _of_cell(cell: Cell, environment: str, reference: str, margin: float) -> Iterator[CriterionRecord]:
    old = cell.model_copy(update={"environment": environment})
    for metric, costs in _COSTS:
        yield CriterionRecord(
            id=f"{metric}:{cell.id}",
            claim=f"{cell.id} {costs} no more than with {reference}.",
            kind="ratio",
            metric=metric,
            candidate=cell.id,
            baseline=old.id,
            margin=margin,
        )
    if cell.backend:
        yield CriterionRecord(
            id=f"traces_lost:{cell.id}",
            claim=f"{cell.id} loses no trace.",
            kind="count",
            metric="traces_lost",
            candidate=cell.id,
            margin=0,
        )
