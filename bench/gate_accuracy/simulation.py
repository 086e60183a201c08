"""Campaigns with a known truth, judged by the gate's own statistics: how often is the verdict right?

One campaign is the log ratio of two cells in each block. What is drawn for a cell in a block is the median latency that
its fresh process would have; the worlds differ in what makes it vary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tracegauge.statistics import interval_rank, spent_at, walsh_averages

Array = NDArray[np.float64]
World = Callable[[np.random.Generator, int, int], Array]
"""Draws noise of (campaigns, blocks) with standard deviation 1 in each block's log ratio."""

MARGIN = 0.05
LOOKS = (8, 11, 15, 20, 27, 36, 48)
"""Those of `bench/standard.yaml`."""
MORE_LOOKS = (*LOOKS, 64, 80, 110, 140)
"""For machines that are less steady."""


def log_normal(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """Latencies are log-normal: log ratios are normal."""
    return rng.standard_normal((campaigns, blocks))


def heavy_tails(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """Student's t with 3 degrees of freedom: now and then a block is far off."""
    return rng.standard_t(3, (campaigns, blocks)) / np.sqrt(3)


def drift(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """The machine gets steadily slower, by two standard deviations from block to block, while a block lasts too.

    What is common to a block's cells cancels in the ratio; what is left is that one of the two, at random, came later:
    by up to a whole block.
    """
    gap = rng.uniform(-1, 1, (campaigns, blocks))
    return _standardised(rng.standard_normal((campaigns, blocks)) + 2 * gap, 1 + 4 / 3)


def autocorrelated(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """The machine has moods: a first-order autoregression over the places at which cells are measured, nine to a block.

    Neighbouring places correlate with 0.9, so neighbouring blocks still do with 0.39.
    """
    cells, rho = 9, 0.9
    mood = np.empty((campaigns, blocks * cells))
    mood[:, 0] = rng.standard_normal(campaigns)
    shocks = rng.standard_normal(mood.shape) * np.sqrt(1 - rho**2)
    for place in range(1, mood.shape[1]):
        mood[:, place] = rho * mood[:, place - 1] + shocks[:, place]
    mood = mood.reshape(campaigns, blocks, cells)
    places = rng.random((campaigns, blocks, cells)).argsort(axis=-1)[..., :2]
    pair = np.take_along_axis(mood, places, axis=-1)
    gaps = np.abs(np.subtract.outer(np.arange(cells), np.arange(cells)))
    variance = (2 * (1 - rho**gaps)).sum() / (cells * (cells - 1))
    return _standardised(pair[..., 0] - pair[..., 1], variance)


def bimodal(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """A process is, with 30%, one of a slower kind (memory layout, a busy neighbour): four standard deviations
    slower."""
    slow = (rng.random((2, campaigns, blocks)) < 0.3).astype(float) * 4
    noise = rng.standard_normal((2, campaigns, blocks))
    values = slow + noise
    return _standardised(values[0] - values[1], 2 * (1 + 16 * 0.3 * 0.7))


def lopsided(rng: np.random.Generator, campaigns: int, blocks: int) -> Array:
    """Only the candidate has, with 10%, processes of a slower kind: four standard deviations of the log ratio slower.

    Here the ratio is not symmetric, which the signed-rank test asks for. The truth is the median of the ratio.
    """
    share, slower = 0.1, 4.0
    values = rng.standard_normal((campaigns, blocks)) + (rng.random((campaigns, blocks)) < share) * slower
    # the median m of the mixture: (1 - share) Phi(m) + share Phi(m - slower) = 1/2; the second term is below 0.0001
    median = float(ndtri(0.5 / (1 - share)))
    return _standardised(values - median, 1 + slower**2 * share * (1 - share))


WORLDS: dict[str, World] = {
    "log-normal": log_normal,
    "heavy tails": heavy_tails,
    "drift": drift,
    "autocorrelated": autocorrelated,
    "bimodal": bimodal,
    "lopsided": lopsided,
}


@dataclass(frozen=True)
class Outcome:
    """What came of many campaigns of one truth: one entry per campaign."""

    passed: NDArray[np.bool_]
    regressed: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    """At which it was decided, or the last look's."""
    covered: NDArray[np.bool_]
    """Whether the interval, as of the look at which it was decided, holds the true ratio."""


def decide(log_ratios: Array, truth: float, looks: Sequence[int] = LOOKS, margin: float = MARGIN) -> Outcome:
    """Judge campaigns as the gate does: at each look those that are undecided so far. `truth` and rows are
    logarithms."""
    bound = np.log1p(margin)
    campaigns = len(log_ratios)
    passed, regressed, covered = (np.zeros(campaigns, dtype=bool) for _ in range(3))
    blocks = np.full(campaigns, looks[-1])
    open_ = np.arange(campaigns)
    for look, alpha in zip(looks, spent_at(looks), strict=True):
        k = interval_rank(look, alpha)
        if k:
            averages = walsh_averages(log_ratios[open_, :look])
            low, high = averages[:, k - 1], averages[:, -k]
            passed[open_] = high <= bound
            regressed[open_] = low > bound
            covered[open_] = (low <= truth) & (truth <= high)
        decided = passed[open_] | regressed[open_]
        blocks[open_[decided]] = look
        open_ = open_[~decided]
    return Outcome(passed, regressed, blocks, covered)


def simulate(sd: float, campaigns: int, seed: int, looks: Sequence[int] = LOOKS) -> Iterator[dict[str, float | str]]:
    """One row per world: the shares that the gate is held to, at a block-to-block standard deviation of the log
    ratio. Of coverage and of what is decided it is the share of that truth for which it is the lowest."""
    for number, (name, world) in enumerate(WORLDS.items()):
        rng = np.random.default_rng([seed, number])

        def of(change: float, world: World = world, rng: np.random.Generator = rng) -> Outcome:
            truth = float(np.log1p(change))
            return decide(truth + sd * world(rng, campaigns, looks[-1]), truth, looks)

        same, ten, fifteen = of(0.0), of(0.10), of(0.15)
        yield {
            "world": name,
            "sd": sd,
            "most_blocks": looks[-1],
            "false_regressed": float(same.regressed.mean()),
            "passed": float(same.passed.mean()),
            "found_15": float(fifteen.regressed.mean()),
            "passed_10": float(ten.passed.mean()),
            "coverage": min(float(one.covered.mean()) for one in (same, ten, fifteen)),
            "decided": min(float((one.passed | one.regressed).mean()) for one in (same, ten, fifteen)),
            "blocks_same": float(same.blocks.mean()),
            "blocks_15": float(fifteen.blocks.mean()),
        }


def _standardised(noise: Array, variance: float) -> Array:
    return noise / np.sqrt(variance)
