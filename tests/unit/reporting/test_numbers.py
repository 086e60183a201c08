import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.reporting.numbers import (
    render_change,
    render_coverage,
    render_interval,
    render_number,
    render_plain,
    render_ratio,
    render_signed,
    render_value,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00123, "0.00123"),
        (0.0123456, "0.0123"),
        (1, "1.00"),
        (1.2345, "1.23"),
        (9.996, "10.0"),  # three digits after rounding, not four
        (12.34, "12.3"),
        (123.4, "123"),
        (999.6, "1,000"),
        (12345.6, "12,346"),
        (-1.5, "-1.50"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
    ],
)
def test_numbers_have_three_significant_digits(value, text):
    assert render_number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.23, "ms", "1.23 ms"),
        (0.00123, "ms", "1.23 µs"),
        (0.00000123, "ms", "1.23 ns"),
        (0.9996, "ms", "1.00 ms"),  # what is rounded to a whole of the next unit is given in it
        (999.4, "ms", "999 ms"),
        (2350, "ms", "2.35 s"),
        (8_876_000, "ms", "8,876 s"),
        (0, "ms", "0 ns"),
        (-0.12, "ms", "-120 µs"),
        (512, "B", "512 B"),
        (20_480, "B", "20.0 KiB"),
        (3 * 1024**2, "B", "3.00 MiB"),
        (8 * 1024**3, "B", "8.00 GiB"),
        (0, "B", "0 B"),
        (12345, "traces", "12,345 traces"),
        (0, "traces", "0 traces"),
        (0.5, "traces", "0.500 traces"),
        (153.4, "1/s", "153 /s"),
        (None, "ms", "–"),
        (float("nan"), "B", "–"),
    ],
)
def test_values_are_in_the_unit_that_fits(value, unit, text):
    assert render_value(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(5.1, "ms", "+5.10 ms"), (-0.12, "ms", "-120 µs"), (0, "ms", "0 ns"), (461.2, "µs", "+461 µs"), (None, "ms", "–")],
)
def test_differences_have_a_sign(value, unit, text):
    assert render_signed(value, unit) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.042, "+4.2%"),
        (1.05, "+5%"),
        (0.9, "-10%"),
        (0.996, "-0.4%"),
        (1, "±0%"),
        (1.0001, "±0%"),
        (1.5, "+50%"),
        (7.31, "×7.31"),
        (0.065, "×0.0650"),
        (None, "–"),
    ],
)
def test_ratios_as_changes(ratio, text):
    assert render_change(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0412, "1.04"), (0.98, "0.980"), (0.0651, "0.0651"), (12.345, "12.35"), (123.456, "123.46"), (None, "–")],
)
def test_ratios_can_be_held_against_their_limit(ratio, text):
    assert render_ratio(ratio) == text


def test_intervals_and_coverage():
    assert render_interval((1.009, 1.061)) == "[1.01, 1.06]"
    assert render_interval((0.9, 1200), "ms") == "[900 µs, 1.20 s]"
    assert render_interval(None) == "–"
    assert render_interval((1.0, float("nan"))) == "–"
    assert render_coverage(5, 6) == "5 of 6"


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1, "1"), (2.5, "2.5"), (1000, "1,000"), (-0.0, "0"), (1e-3, "0.001")]
)
def test_ticks_are_as_short_as_can_be(value, text):
    assert render_plain(value) == text


@given(st.floats(1e-9, 1e12))
def test_rendered_numbers_are_within_half_a_percent_and_never_scientific(value):
    text = render_number(value)
    assert "e" not in text
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.0051)


@given(st.floats(1e-5, 1e9), st.sampled_from(["ms", "B"]))
def test_no_duration_or_size_is_rendered_as_thousands_of_a_unit_that_has_a_larger_one(value, unit):
    number, prefix = render_value(value, unit).split(" ")
    if prefix not in ("s", "GiB"):
        assert float(number.replace(",", "")) < (1024 if unit == "B" else 1000)
