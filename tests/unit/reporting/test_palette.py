import numpy as np
import pytest

from tracegauge.reporting.palette import FAILED, styles

BUILT_IN = ["off", "legacy_runs", "manual_spans", "autolog"]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    dark, light = sorted([luminance(a), luminance(b)])
    return (light + 0.05) / (dark + 0.05)


def test_an_instrument_keeps_its_style_whatever_else_is_in_the_report():
    alone = styles(["langfuse"])["langfuse"]
    assert styles([*BUILT_IN, "langfuse"])["langfuse"] == alone
    assert styles(reversed([*BUILT_IN, "langfuse"])) == styles([*BUILT_IN, "langfuse"])


def test_no_two_instruments_share_a_style():
    names = [*BUILT_IN, *(f"plugin_{n}" for n in range(10))]
    chosen = styles(names)
    assert len({style.colour for style in chosen.values()}) == len(names)
    assert len({style.marker for style in chosen.values()}) == len(names)


def test_more_instruments_than_styles_still_get_one():
    assert len(styles(f"plugin_{n}" for n in range(40))) == 40


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("paper", ["#ffffff", "#15161b"])
def test_built_in_instruments_stand_out_on_light_and_dark_paper(name, paper):
    # WCAG 2.1, 1.4.11 asks 3:1 of graphics; Okabe and Ito's reddish purple has 2.9:1 on white
    assert contrast(styles([name])[name].colour, paper) >= 2.9


def test_what_is_wrong_has_a_colour_of_its_own():
    assert FAILED not in {style.colour for style in styles([*BUILT_IN, *map(str, range(10))]).values()}
