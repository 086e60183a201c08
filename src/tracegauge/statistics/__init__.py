"""Pure functions over arrays: pairing, estimates, error rates, power. Nothing here knows what a campaign is."""

from tracegauge.statistics.error_spending import ALPHA, next_spent, sequential_p, spent_at
from tracegauge.statistics.holm import holm
from tracegauge.statistics.median_interval import Estimate, blocks_for_interval, median_with_interval
from tracegauge.statistics.pairing import Pairs, pair_by_block
from tracegauge.statistics.power import blocks_to_decide, detectable_shift
from tracegauge.statistics.shape import BIMODAL, bimodality, trend
from tracegauge.statistics.signed_rank import (
    Location,
    hodges_lehmann,
    interval_rank,
    p_above,
    values_for_interval,
    walsh_averages,
)

__all__ = [
    "ALPHA",
    "BIMODAL",
    "Estimate",
    "Location",
    "Pairs",
    "bimodality",
    "blocks_for_interval",
    "blocks_to_decide",
    "detectable_shift",
    "hodges_lehmann",
    "holm",
    "interval_rank",
    "median_with_interval",
    "next_spent",
    "p_above",
    "pair_by_block",
    "sequential_p",
    "spent_at",
    "trend",
    "values_for_interval",
    "walsh_averages",
]
