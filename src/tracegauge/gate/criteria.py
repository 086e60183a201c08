"""From the criteria of a campaign file to criteria whose cells and metrics are known to exist."""

import re
from collections.abc import Sequence

from tracegauge.config.campaign import Campaign, Criterion
from tracegauge.config.errors import ConfigError, nearest
from tracegauge.gate.selectors import select_cell
from tracegauge.results import METRICS, Cell, metric
from tracegauge.results.campaign_record import CriterionRecord


def resolve_criteria(campaign: Campaign, cells: Sequence[Cell]) -> tuple[CriterionRecord, ...]:
    """Each criterion with the ids of its cells, in the order of the file; done before anything is measured.

    Raises ConfigError, which names the criterion, for two of one id, for a metric that doesn't exist or isn't measured,
    for a selector that doesn't name exactly one cell, and for a cell that is compared with itself.
    """
    seen: set[str] = set()
    for criterion in campaign.criteria:
        if criterion.id in seen:
            raise ConfigError(f"two criteria have the id {criterion.id!r}", hint="give each an id of its own")
        seen.add(criterion.id)
        _check_metric(criterion, campaign.measure.read_sizes)
    return tuple(_resolve(criterion, cells) for criterion in campaign.criteria)


def _resolve(criterion: Criterion, cells: Sequence[Cell]) -> CriterionRecord:
    candidate = select_cell(criterion.candidate, cells, f"criterion {criterion.id!r}: candidate")
    baseline = None
    if criterion.kind == "ratio":
        baseline = select_cell(criterion.baseline, cells, f"criterion {criterion.id!r}: baseline")
        if baseline == candidate:
            raise ConfigError(
                f"criterion {criterion.id!r} compares {candidate.id} with itself",
                hint="name two different cells as candidate and baseline",
            )
    return CriterionRecord(
        id=criterion.id,
        claim=criterion.claim,
        kind=criterion.kind,
        metric=criterion.metric,
        candidate=candidate.id,
        baseline=baseline.id if baseline else None,
        margin=criterion.margin,
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
