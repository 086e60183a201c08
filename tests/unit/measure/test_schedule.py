from hypothesis import given
from hypothesis import strategies as st

from tracegauge.measure.schedule import schedule
from tracegauge.results import Cell

CELLS = tuple(Cell(workflow=f"w{i}", instrument="off") for i in range(8))


@given(blocks=st.integers(1, 20), seed=st.integers())
def test_every_block_has_every_cell_once(blocks, seed):
    planned = schedule(CELLS, blocks, seed)
    assert [block.number for block in planned] == list(range(blocks))
    assert all(sorted(block.cells, key=lambda cell: cell.id) == list(CELLS) for block in planned)


@given(seed=st.integers(), blocks=st.integers(2, 10))
def test_more_blocks_change_nothing_of_the_first(seed, blocks):
    assert schedule(CELLS, blocks, seed)[:1] == schedule(CELLS, 1, seed)


def test_orders_and_seeds_differ_between_blocks():
    planned = schedule(CELLS, 20, seed=1)
    # 20 draws out of 8! = 40,320 orders: all alike would be a broken generator, not bad luck.
    assert len({block.cells for block in planned}) > 10
    assert len({block.hash_seed for block in planned}) == 20
    assert len({block.environment_padding for block in planned}) > 10


def test_another_seed_is_another_order():
    assert schedule(CELLS, 5, seed=1) != schedule(CELLS, 5, seed=2)
