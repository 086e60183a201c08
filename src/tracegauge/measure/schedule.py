"""The schedule: in which order the cells of each block are measured."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tracegauge.results import Cell


@dataclass(frozen=True)
class Block:
    """One block: every cell once, in random order, in processes that vary what must not matter."""

    number: int
    cells: tuple[Cell, ...]
    hash_seed: int
    """PYTHONHASHSEED of the block's processes."""
    environment_padding: int
    """Length of an unused environment variable: it shifts stack addresses (Mytkowicz et al. 2009, "Producing Wrong
    Data Without Doing Anything Obviously Wrong!")."""


def schedule(cells: Sequence[Cell], blocks: int, seed: int) -> list[Block]:
    """The blocks of a campaign. Each depends only on the cells, the seed and its own number, so that an interrupted
    campaign goes on with the order that it would have had."""
    planned = []
    for number in range(blocks):
        rng = random.Random(f"{seed}/{number}")
        order = list(cells)
        rng.shuffle(order)
        planned.append(Block(number, tuple(order), rng.randrange(1, 2**32), rng.randrange(4096)))
    return planned
