"""Pure functions over arrays: pairing and estimates. Nothing here knows what a campaign is."""

from tracegauge.statistics.median_interval import Estimate, blocks_for_interval, median_with_interval
from tracegauge.statistics.pairing import Pairs, pair_by_block

__all__ = ["Estimate", "Pairs", "blocks_for_interval", "median_with_interval", "pair_by_block"]
