"""Pairing two cells' values by the block that both were measured in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pairs:
    """Values of candidate and baseline from the same blocks, in the order of the blocks; all three equally long."""

    blocks: NDArray[np.int64]
    candidate: NDArray[np.float64]
    baseline: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.blocks)


def pair_by_block(candidate: Mapping[int, float], baseline: Mapping[int, float]) -> Pairs:
    """Pair values by block; blocks that only one side has are left out.

    Two cells of one block ran minutes apart on the same machine in the same mood, so what slows both down cancels in
    their ratio (randomised complete blocks; Kalibera & Jones 2013, "Rigorous benchmarking in reasonable time").
    """
    blocks = sorted(candidate.keys() & baseline.keys())
    return Pairs(
        np.array(blocks, dtype=np.int64),
        np.array([candidate[block] for block in blocks], dtype=np.float64),
        np.array([baseline[block] for block in blocks], dtype=np.float64),
    )
