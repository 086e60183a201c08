from hypothesis import given
from hypothesis import strategies as st

from tracegauge.statistics import pair_by_block

values = st.dictionaries(st.integers(0, 30), st.floats(0.1, 100))


def test_values_of_one_block_are_paired_in_order_of_blocks():
    pairs = pair_by_block({3: 30.0, 1: 10.0, 2: 20.0}, {1: 1.0, 3: 3.0, 4: 4.0})
    assert pairs.blocks.tolist() == [1, 3]
    assert pairs.candidate.tolist() == [10.0, 30.0]
    assert pairs.baseline.tolist() == [1.0, 3.0]
    assert len(pairs) == 2


def test_nothing_in_common_gives_no_pairs():
    assert len(pair_by_block({0: 1.0}, {1: 1.0})) == 0


@given(values, values)
def test_every_pair_is_from_one_block_that_both_have(candidate, baseline):
    pairs = pair_by_block(candidate, baseline)
    assert pairs.blocks.tolist() == sorted(set(candidate) & set(baseline))
    for block, ours, theirs in zip(pairs.blocks, pairs.candidate, pairs.baseline, strict=True):
        assert (ours, theirs) == (candidate[block], baseline[block])
