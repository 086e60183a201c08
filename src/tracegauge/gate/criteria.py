"""From the criteria of a campaign file to criteria whose cells and metrics are known to exist."""

import re
from collections.abc import Sequence

from tracegauge.config.campaign import (
    Campaign,
    CountCriterion,
    Criterion,
    DifferenceCriterion,
    LimitCriterion,
    RatioCriterion,
)
from tracegauge.config.errors import ConfigError, about, nearest
from tracegauge.gate.selectors import select_cell
from tracegauge.results import METRICS, Cell, metric
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.results.sample import FailureKind


def resolve_criteria(campaign: Campaign, cells: Sequence[Cell]) -> tuple[CriterionRecord, ...]:
    """Each criterion with the ids of its cells, in the order of the file; done before anything is measured.

    Raises ConfigError, which names the criterion, for two of one id, for a metric that doesn't exist, isn't measured or
    doesn't fit the kind or the cells, for a selector that doesn't name exactly one cell, and for a cell that is
    compared with itself.
    """
    seen: set[str] = set()
    for number, criterion in enumerate(campaign.criteria):
        with about("criteria", number, "id"):
            if criterion.id in seen:
                raise ConfigError(f"two criteria have the id {criterion.id!r}", hint="give each an id of its own")
        seen.add(criterion.id)
        with about("criteria", number, "metric"):
            _check_metric(criterion, campaign.measure.read_sizes)
            _check_kind(criterion)
    return tuple(_resolve(number, criterion, cells) for number, criterion in enumerate(campaign.criteria))


def _resolve(number: int, criterion: Criterion, cells: Sequence[Cell]) -> CriterionRecord:
    with about("criteria", number, "candidate"):
        candidate = select_cell(criterion.candidate, cells, f"criterion {criterion.id!r}: candidate")
        _check_stored(criterion, candidate, "candidate")
    baseline: Cell | None = None
    may_fail: tuple[FailureKind, ...] = ()
    if criterion.kind in ("ratio", "difference"):
        with about("criteria", number, "baseline"):
            baseline = select_cell(criterion.baseline, cells, f"criterion {criterion.id!r}: baseline")
            if baseline == candidate:
                raise ConfigError(
                    f"criterion {criterion.id!r} compares {candidate.id} with itself",
                    hint="name two different cells as candidate and baseline; the A/A control is added without being"
                    " asked",
                )
            _check_stored(criterion, baseline, "baseline")
        may_fail = criterion.baseline_may_fail
    return CriterionRecord(
        id=criterion.id,
        claim=criterion.claim,
        source=criterion.source,
        kind=criterion.kind,
        metric=criterion.metric,
        candidate=candidate.id,
        baseline=baseline.id if baseline else None,
        margin=_margin(criterion),
        absolute_margin=criterion.absolute_margin if criterion.kind == "ratio" else None,
        baseline_may_fail=may_fail,
    )


def _margin(criterion: Criterion) -> float:
    match criterion:
        case RatioCriterion():
            return criterion.margin if criterion.margin is not None else -(criterion.reduction or 0)
        case LimitCriterion():
            return criterion.limit
        case DifferenceCriterion() | CountCriterion():
            return criterion.margin


def _check_stored(criterion: Criterion, cell: Cell, side: str) -> None:
    """A cell that stores nothing doesn't have every metric."""
    what = METRICS.get(criterion.metric)
    of_stores = what is None or what.needs_store  # reads are of stores
    if of_stores and cell.backend is None:
        raise ConfigError(
            f"criterion {criterion.id!r}: the {side} {cell.id} stores nothing, so it has no {criterion.metric}",
            hint=f"name a {side} that stores traces, or a metric that every cell has, such as latency_p50_ms",
        )


def _check_kind(criterion: Criterion) -> None:
    """Not every metric is a count, and of one that is usually 0 there is no ratio."""
    what = METRICS.get(criterion.metric)
    if criterion.kind == "ratio" and what is not None and what.usually_zero:
        raise ConfigError(
            f"criterion {criterion.id!r}: {criterion.metric} is 0 where all is well, and a ratio to 0 is undefined",
            hint="make it a criterion of kind `count`, or of kind `difference`",
        )
    if criterion.kind == "count" and (what is None or not what.counted):
        counts = ", ".join(name for name, one in METRICS.items() if one.counted)
        raise ConfigError(
            f"criterion {criterion.id!r}: {criterion.metric} is not counted but measured, and varies",
            hint=f"make it a criterion of kind `limit`; counted are {counts}",
        )


def _check_metric(criterion: Criterion, read_sizes: Sequence[int]) -> None:
    measured = [*METRICS, *(f"{what}_ms_at_{size}" for size in read_sizes for what in ("search", "get"))]
    if criterion.metric in measured:
        return
    try:
        metric(criterion.metric)
    except KeyError:
        raise ConfigError(
            f"criterion {criterion.id!r}: there is no metric {criterion.metric!r}",
            hint=nearest(criterion.metric, measured),
        ) from None
    size = re.sub(r"\D", "", criterion.metric)
    sizes = ", ".join(map(str, read_sizes)) or "none"
    raise ConfigError(
        f"criterion {criterion.id!r}: reading from a store of {size} traces is not measured",
        hint=f"add {size} to the campaign's measure.read_sizes (now: {sizes})",
    )
