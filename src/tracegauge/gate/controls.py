"""The controls of a campaign: a cell measured twice, and the same cell slowed down on purpose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tracegauge.config.campaign import Campaign, RatioCriterion
from tracegauge.config.errors import ConfigError, about, nearest
from tracegauge.gate.selectors import select_cell
from tracegauge.results import METRICS, Cell, CriterionVerdict, Verdict
from tracegauge.results.campaign_record import CriterionRecord

METRIC = "latency_p50_ms"
CONTROL_MARGIN = 0.05
"""Where no criterion says which."""


@dataclass(frozen=True)
class Controls:
    """Cells to be measured beside those of the matrix, and what is expected of them."""

    cells: tuple[Cell, ...] = ()
    criteria: tuple[CriterionRecord, ...] = ()

    def among(self, cells: Sequence[Cell]) -> "Controls":
        """The controls if the cell that they repeat is one of `cells`; else none."""
        return (
            self if {criterion.baseline for criterion in self.criteria} <= {cell.id for cell in cells} else Controls()
        )


def resolve_controls(campaign: Campaign, cells: Sequence[Cell]) -> Controls:
    """The controls that the campaign asks for, or those that follow from its first `ratio` criterion of a time.

    None for a campaign that judges no times. Raises ConfigError for a selector that names no cell, or several, and for
    a metric that doesn't exist.
    """
    wanted = campaign.controls
    metric = wanted.metric or METRIC
    if metric not in METRICS:
        with about("controls", "metric"):
            raise ConfigError(f"controls: there is no metric {metric!r}", hint=nearest(metric, list(METRICS)))
    guard = _guarded(campaign)
    selector = wanted.cell or (guard.candidate if guard else None)
    if selector is None:
        return Controls()
    with about("controls", "cell"):
        cell = select_cell(selector, cells, "controls: cell")
    margin = wanted.margin or (guard.margin if guard else None) or CONTROL_MARGIN
    return controls_of(cell, metric=metric, margin=margin, slowdown=wanted.slowdown)


def controls_of(
    cell: Cell, *, metric: str = METRIC, margin: float = CONTROL_MARGIN, slowdown: float | None = None
) -> Controls:
    """The cell again as it is, and slowed down by `slowdown`, or else by twice the margin."""
    slowdown = 2 * margin if slowdown is None else slowdown
    again = cell.model_copy(update={"control": "aa"})
    slowed = cell.model_copy(update={"control": "injected", "slowdown": slowdown})
    common = {"kind": "ratio", "metric": metric, "baseline": cell.id, "margin": margin}
    return Controls(
        (again, slowed),
        (
            CriterionRecord.model_validate(
                {
                    **common,
                    "id": "control-aa",
                    "role": "control_aa",
                    "claim": "A cell that is measured twice is no slower the second time.",
                    "candidate": again.id,
                }
            ),
            CriterionRecord.model_validate(
                {
                    **common,
                    "id": "control-injected",
                    "role": "control_injected",
                    "claim": f"A cell that is slowed down by {slowdown:.3g} of its own time is found slower.",
                    "candidate": slowed.id,
                }
            ),
        ),
    )


def distrust(controls: Sequence[CriterionVerdict]) -> Iterator[str]:
    """Why the campaign's numbers can't be trusted: a sentence for each control that came out wrong."""
    for control in controls:
        if control.role == "control_aa" and control.verdict is Verdict.REGRESSED:
            yield f"a cell measured twice came out slower the second time. {control.reason}"
        if control.role == "control_injected" and control.verdict is Verdict.PASS:
            yield f"a slowdown on purpose was not noticed. {control.reason}"


def underpowered(controls: Sequence[CriterionVerdict]) -> Iterator[str]:
    """What the campaign is too small to tell: a sentence for each control that could not be decided."""
    for control in controls:
        if control.verdict is not Verdict.INCONCLUSIVE:
            continue
        what = (
            "a slowdown on purpose can't be told from none"
            if control.role == "control_injected"
            else "a cell measured twice can't be told to be no slower"
        )
        yield f"underpowered: {what}. {control.reason}"


def _guarded(campaign: Campaign) -> RatioCriterion | None:
    """The first `ratio` of a latency, or else of CPU time."""
    ratios = [criterion for criterion in campaign.criteria if criterion.kind == "ratio"]
    for prefix in ("latency_", "cpu_"):
        for criterion in ratios:
            if criterion.metric.startswith(prefix):
                return criterion
    return None
