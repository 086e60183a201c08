import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.statistics import ALPHA, next_spent, sequential_p, spent_at

looks = st.lists(st.integers(1, 200), min_size=1, max_size=8, unique=True).map(sorted)


def test_the_error_is_spent_in_proportion_to_the_blocks():
    # 8 of 40 blocks spend a fifth of 2.5%, the next 4 a tenth, the last 28 the rest
    assert spent_at([8, 12, 40]) == pytest.approx([0.005, 0.0025, 0.0175])
    assert spent_at([8]) == (ALPHA,)


@given(looks)
def test_all_looks_together_spend_alpha(looks):
    assert sum(spent_at(looks)) == pytest.approx(ALPHA)


@pytest.mark.parametrize("looks", [[], [0, 3], [5, 5], [9, 8]])
def test_looks_that_do_not_rise_are_refused(looks):
    with pytest.raises(ValueError, match="rising"):
        spent_at(looks)


def test_the_looks_that_so_many_blocks_allow():
    plan = [8, 12, 40]
    assert next_spent(plan, 0) == ()
    assert next_spent(plan, 5) == ((5, pytest.approx(0.003125)),)  # an eighth of 2.5%
    assert next_spent(plan, 8) == ((8, pytest.approx(0.005)),)
    # the time was up after 20 blocks, 8 of 40 after the last look: a fifth of 2.5%
    assert next_spent(plan, 20) == tuple((n, pytest.approx(a)) for n, a in [(8, 0.005), (12, 0.0025), (20, 0.005)])
    assert [blocks for blocks, _ in next_spent(plan, 50)] == [8, 12, 40]


@given(looks, st.integers(1, 250))
def test_a_look_in_between_spends_what_it_would_have_spent_as_a_planned_one(looks, blocks):
    taken = next_spent(looks, blocks)
    planned = sorted({*looks, min(blocks, looks[-1])})
    assert list(taken) == list(zip(planned, spent_at(planned), strict=True))[: len(taken)]
    assert taken[-1][0] == min(blocks, looks[-1])


@given(looks, st.data())
def test_the_p_value_over_looks_is_small_exactly_where_one_look_is_decided(looks, data):
    levels = spent_at(looks)
    p_values = [data.draw(st.floats(0, 1)) for _ in looks]
    over_all = sequential_p(p_values, levels)
    assert 0 <= over_all <= 1
    if any(p < level * (1 - 1e-9) for p, level in zip(p_values, levels, strict=True)):
        assert over_all <= ALPHA
    if all(p > level * (1 + 1e-9) for p, level in zip(p_values, levels, strict=True)):
        assert over_all > ALPHA
