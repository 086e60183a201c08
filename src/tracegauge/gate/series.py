"""A criterion's numbers, block by block, on the scale on which they are judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracegauge.gate.evidence import SamplesByBlock, evidence_of
from tracegauge.results import Metric, metric
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.campaign_record import CriterionRecord
from tracegauge.statistics import pair_by_block

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """How what is shown becomes what is judged, on which more is worse, and back."""

    judged: Callable[[Array], Array]
    shown: Callable[[float], float]


LOGARITHMIC = Scale(np.log, lambda value: float(np.exp(value)))
"""A ratio of 2 and one of 1/2 are equally far from 1."""
AS_IT_IS = Scale(lambda values: values, lambda value: value)
TURNED_ROUND = Scale(lambda values: -values, lambda value: -value)


@dataclass(frozen=True)
class Series:
    """What the blocks say of one criterion."""

    criterion: CriterionRecord
    metric: Metric
    scale: Scale
    bound: float
    """On the shown scale; see `CriterionVerdict.bound`."""
    blocks: tuple[int, ...]
    """The blocks that give a value; as long as the next three."""
    shown: tuple[float, ...]
    candidate: tuple[float, ...]
    baseline: tuple[float, ...]
    """Empty without a baseline."""
    gaps: tuple[str, ...]
    """A sentence for each reason why planned blocks give no value."""
    medians: tuple[float | None, float | None]
    """Of candidate and baseline over all blocks of their own."""
    caveat: str | None = None
    """A sentence on blocks that give a value in spite of failures."""

    @cached_property
    def judged(self) -> Array:
        """The values on the scale on which more is worse."""
        return self.scale.judged(np.array(self.shown, dtype=np.float64))

    @cached_property
    def judged_bound(self) -> float:
        """The bound on that scale."""
        return float(self.scale.judged(np.array([self.bound], dtype=np.float64))[0])


def series_of(criterion: CriterionRecord, samples: Mapping[str, SamplesByBlock], planned: int) -> Series:
    """The series of a `ratio`, a `difference` or a `limit`; blocks in which a side failed give no value."""
    what = metric(criterion.metric)
    ours = evidence_of(criterion.candidate, samples.get(criterion.candidate, {}), what, planned)
    gaps = [ours.gaps]
    if criterion.baseline is None:
        blocks, candidate = tuple(ours.values), tuple(ours.values.values())
        scale = TURNED_ROUND if what.higher_is_better else AS_IT_IS
        medians = (_median(candidate), None)
        return Series(
            criterion, what, scale, criterion.margin, blocks, candidate, candidate, (), _present(gaps), medians
        )
    theirs = evidence_of(
        criterion.baseline,
        samples.get(criterion.baseline, {}),
        what,
        planned,
        forgive=criterion.baseline_may_fail,
    )
    gaps.append(theirs.gaps)
    pairs = pair_by_block(ours.values, theirs.values)
    above, below = (pairs.baseline, pairs.candidate) if what.higher_is_better else (pairs.candidate, pairs.baseline)
    defined = np.ones(len(pairs), dtype=bool)
    if criterion.kind == "ratio":
        defined = (above > 0) & (below > 0)
        if not defined.all():
            where = blocks_in_words(int(block) for block in pairs.blocks[~defined])
            gaps.append(f"the ratio is undefined in {where}, where one of its sides is 0")
    above, below = above[defined], below[defined]
    bound, shown = _ratios(criterion, above, below) if criterion.kind == "ratio" else (criterion.margin, above - below)
    return Series(
        criterion=criterion,
        metric=what,
        scale=LOGARITHMIC if criterion.kind == "ratio" else AS_IT_IS,
        bound=bound,
        blocks=tuple(int(block) for block in pairs.blocks[defined]),
        shown=tuple(map(float, shown)),
        candidate=tuple(map(float, pairs.candidate[defined])),
        baseline=tuple(map(float, pairs.baseline[defined])),
        gaps=_present(gaps),
        medians=(_median(tuple(ours.values.values())), _median(tuple(theirs.values.values()))),
        caveat=theirs.caveat,
    )


def _ratios(criterion: CriterionRecord, above: Array, below: Array) -> tuple[float, Array]:
    """The bound, and the ratio of each block.

    A ratio may exceed 1 by the margin, or by what the absolute margin is of the median of `below`. What it is of each
    block's own `below` is another share, where blocks as wholes differ: each ratio is turned into the one that is as
    far beyond that bound as this one is beyond its own. The bound by itself would be an estimate whose error no
    interval covers.
    """
    if criterion.absolute_margin is None or not below.size:
        return 1 + criterion.margin, above / below
    own = 1 + np.maximum(criterion.margin, criterion.absolute_margin / below)
    bound = 1 + max(criterion.margin, criterion.absolute_margin / float(np.median(below)))
    return bound, above / below * (bound / own)


def _median(values: tuple[float, ...]) -> float | None:
    return float(np.median(values)) if values else None


def _present(gaps: list[str | None]) -> tuple[str, ...]:
    return tuple(gap for gap in gaps if gap)
