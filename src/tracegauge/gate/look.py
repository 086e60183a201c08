"""One look at one criterion: what its blocks so far say, at the error rate of that look."""

from dataclasses import dataclass

import numpy as np

from tracegauge.gate.series import Series
from tracegauge.statistics import Location, hodges_lehmann, p_above, sequential_p


@dataclass(frozen=True)
class Look:
    """A criterion after some number of blocks."""

    series: Series
    blocks: int
    """Blocks that were measured by then."""
    level: float
    """One-sided error rate of this look."""
    location: Location | None
    """On the judged scale; None where no block gives a value."""
    own_p: tuple[float, ...] = ()
    """The p-values of this look and those before it."""
    levels: tuple[float, ...] = ()
    """Their error rates."""

    @property
    def p(self) -> float | None:
        """The p-value of "no worse than the bound" over all looks so far."""
        return sequential_p(self.own_p, self.levels) if self.own_p else None

    @property
    def within(self) -> bool:
        """Whether the whole interval is within the bound; with blocks missing that is not said."""
        interval = self.location.interval if self.location else None
        return interval is not None and interval[1] <= _above(self.series.judged_bound)

    @property
    def beyond(self) -> bool:
        """Whether the whole interval is beyond the bound."""
        interval = self.location.interval if self.location else None
        return interval is not None and interval[0] > _above(self.series.judged_bound)


def look_at(series: Series, blocks: int, level: float, before: Look | None) -> Look:
    """Look at a series; `before` is the look before this one, whose p-values count too."""
    own_p = before.own_p if before else ()
    levels = before.levels if before else ()
    if not series.blocks:
        return Look(series, blocks, level, None, own_p, levels)
    location = hodges_lehmann(series.judged, level)
    p = p_above(series.judged, _above(series.judged_bound))
    return Look(series, blocks, level, location, (*own_p, p), (*levels, level))


def spread(look: Look) -> float | None:
    """Standard deviation over blocks on the judged scale; None with fewer than two."""
    return float(np.std(look.series.judged, ddof=1)) if len(look.series.blocks) > 1 else None


def _above(bound: float) -> float:
    """The bound itself is allowed, and stays so where arithmetic puts it a rounding error lower."""
    return bound + 1e-12 * max(1.0, abs(bound))
