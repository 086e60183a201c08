"""The price table: known answers, names as they come, users' own prices."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.prices import ModelPrice, PriceTable, built_in_prices, load_prices

TABLE = PriceTable(
    "test",
    {"m": ModelPrice(input=2, output=8, cache_read=0.5, cache_write=2.5), "plain": ModelPrice(input=1, output=3)},
)


def test_cost_is_tokens_times_price_per_million():
    # 1,000,000 x 2 + 500,000 x 8 = 2 + 4 USD
    assert TABLE.cost_usd("m", 1_000_000, 500_000) == pytest.approx(6.0)


def test_cached_tokens_are_part_of_the_input():
    # 1,000 of which 600 read and 100 written: 300 x 2 + 600 x 0.5 + 100 x 2.5 + 10 x 8 = 1,230 per million
    assert TABLE.cost_usd("m", 1000, 10, cache_read_tokens=600, cache_write_tokens=100) == pytest.approx(1230e-6)


def test_without_cache_prices_cached_tokens_cost_as_input():
    assert TABLE.cost_usd("plain", 1000, 0, cache_read_tokens=400) == pytest.approx(1000e-6)


@pytest.mark.parametrize("model", ["scripted", "", None, "m2"])
def test_an_unknown_model_has_no_cost_rather_than_none_at_all(model: str | None):
    assert TABLE.cost_usd(model, 1000, 1000) is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("openai:/gpt-4o", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("anthropic:claude-haiku-4-5", "claude-haiku-4-5"),
    ],
)
def test_models_are_found_by_the_names_that_libraries_give_them(name: str, plain: str):
    table = built_in_prices()
    assert table.price(name) == table.models[plain]


def test_a_dated_model_with_a_price_of_its_own_keeps_it():
    table = built_in_prices()
    assert table.price("gpt-4o-2024-05-13") != table.price("gpt-4o")


def test_users_prices_come_before_ours(tmp_path: Path):
    own = tmp_path / "prices.yaml"
    own.write_text(
        "version: '2026-11'\nmodels:\n  gpt-4o: {input: 1, output: 1}\n  house-model: {input: 0, output: 0}\n"
    )

    table = load_prices(own)

    assert table.cost_usd("gpt-4o", 1_000_000, 0) == pytest.approx(1.0)
    assert table.cost_usd("house-model", 10, 10) == 0.0  # a price of 0 is a price
    assert table.price("gpt-4o-mini") == built_in_prices().price("gpt-4o-mini")
    assert "prices.yaml 2026-11" in table.version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: '1'\nmodels: {m: {input: -1, output: 1}}", "models.m.input"),
        ("version: '1'\nmodels: {m: {input: 1}}", "models.m.output"),
        ("version: '1'\nmodels: {m: {input: 1, output: 1, per: token}}", "models.m.per"),
        ("models: {}", "version"),
        ("models: [", "own.yaml"),
    ],
)
def test_a_wrong_price_file_says_what_is_wrong_and_where(tmp_path: Path, text: str, says: str):
    own = tmp_path / "own.yaml"
    own.write_text(text)
    with pytest.raises(ValueError, match=says.replace(".", r"\.")) as error:
        load_prices(own)
    assert str(own) in str(error.value)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_cost_is_additive_over_calls(first: int, second: int):
    one, two = TABLE.cost_usd("m", first, second), TABLE.cost_usd("m", second, first)
    both = TABLE.cost_usd("m", first + second, first + second)
    assert one is not None
    assert two is not None
    assert both == pytest.approx(one + two)
