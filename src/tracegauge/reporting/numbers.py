"""Numbers for people: three significant digits, a fitting unit, thousands separated, never in scientific notation."""

import math
from collections.abc import Sequence

MISSING = "–"
_SIGNIFICANT = 3

_DURATIONS_MS = ((1e-6, "ns"), (1e-3, "µs"), (1.0, "ms"), (1e3, "s"))
_SIZES = ((1.0, "B"), (1024.0, "KiB"), (1024.0**2, "MiB"), (1024.0**3, "GiB"))
_PLAIN_UNITS = {"1/s": "/s"}


def render_number(value: float | None) -> str:
    """Three significant digits, but all those before the decimal point: 0.00123, 1.23, 12.3, 12,345."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:,.{_decimals(value)}f}"


def render_plain(value: float) -> str:
    """As short as can be, for the ticks of axes: 0.1, 1, 2.5, 1,000."""
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def render_value(value: float | None, unit: str) -> str:
    """A value of a metric's unit in the prefix that fits: 0.00123 ms is "1.23 µs", 20,480 B are "20.0 KiB"."""
    if value is None or not math.isfinite(value):
        return render_number(value)
    if unit == "ms":
        return _scaled(value, _DURATIONS_MS)
    if unit == "B":
        return _scaled(value, _SIZES)
    if float(value).is_integer():
        return f"{value:,.0f} {_PLAIN_UNITS.get(unit, unit)}".rstrip()
    return f"{render_number(value)} {_PLAIN_UNITS.get(unit, unit)}".rstrip()


def render_signed(value: float | None, unit: str) -> str:
    """A difference: "+5.1 ms", "-120 µs"."""
    if value is None or not math.isfinite(value):
        return render_number(value)
    return f"{'+' if value > 0 else ''}{render_value(value, unit)}"


def render_change(ratio: float | None) -> str:
    """A ratio as the change that it is: 1.042 is "+4.2%", 0.9 is "-10%", 7.31 is "×7.31"."""
    if ratio is None or not math.isfinite(ratio):
        return render_number(ratio)
    if ratio >= 2 or ratio <= 0.1:
        return f"×{render_number(ratio)}"
    percent = (ratio - 1) * 100
    text = f"{percent:+.1f}" if abs(percent) < 10 else f"{percent:+.0f}"
    return f"{text.removesuffix('.0')}%" if float(text) else "±0%"


def render_interval(interval: Sequence[float] | None, unit: str = "") -> str:
    """ "[1.01, 1.06]" in the given unit; a dash where there is none."""
    if interval is None or not all(math.isfinite(limit) for limit in interval):
        return MISSING
    low, high = interval
    return f"[{render_value(low, unit)}, {render_value(high, unit)}]" if unit else f"[{_ratio(low)}, {_ratio(high)}]"


def render_ratio(ratio: float | None) -> str:
    """A ratio with at least two decimals, so that 1.04 can be held against a limit of 1.05."""
    return MISSING if ratio is None or not math.isfinite(ratio) else _ratio(ratio)


def render_coverage(n: int, m: int) -> str:
    """How many blocks of how many: "5 of 6"."""
    return f"{n} of {m}"


def _ratio(value: float) -> str:
    return f"{value:,.{max(2, min(3, _decimals(value)))}f}" if value >= 0.1 else render_number(value)


def _decimals(value: float) -> int:
    """Decimals that leave three significant digits after rounding: 9.996 has two, as it becomes 10.00 with three."""
    if value == 0:
        return 0
    return max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(float(f"{value:.{_SIGNIFICANT - 1}e}")))))


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """In the largest unit of which it is at least one, after rounding to what is shown (999.7 µs is 1.00 ms)."""
    size = max(abs(value), abs(float(f"{value:.{_SIGNIFICANT - 1}e}")))
    factor, unit = next(((f, u) for f, u in reversed(units) if size >= f), units[0])
    scaled = value / factor
    text = f"{scaled:,.0f}" if unit == "B" or scaled == 0 else render_number(scaled)
    return f"{text} {unit}"
