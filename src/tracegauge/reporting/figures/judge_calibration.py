"""How far judges agree with labels: kappa against the least that is asked for, and how often they err either way."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tracegauge.reporting.data import MOST_DRAWN, ReportData
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.rows import LABEL_LIMIT, Panel, Places, Row, row_chart
from tracegauge.reporting.figures.style import INK, MUTED, elide
from tracegauge.reporting.palette import VERDICT_COLOURS, VERDICT_MARKERS
from tracegauge.results.calibration import MOCK_NOTE, CalibrationRecord, Share

TITLE = "Judges against labels"
_SYNTHETIC = "synthetic labels: written for the purpose"
_RATES = (("good ones called good (TPR)", "^", -0.16), ("others not called good (TNR)", "v", 0.16))
_HEIGHT = 0.36


def draw(data: ReportData) -> Drawing:
    """A row per calibrated judge, those against people first; ticks are the least kappa that is asked for."""
    known = sorted(data.judges.calibrations if data.judges else (), key=lambda one: (one.mock, one.label_source))
    if not known:
        return Drawing(None, "No judge of this campaign is calibrated, so there is no agreement to draw.")
    shown = {_key(one): one for one in known[:MOST_DRAWN]}

    def paint_kappa(axes: Axes, places: Places) -> None:
        axes.axvline(0, color=MUTED, linewidth=1)
        for key, one in shown.items():
            verdict = _verdict(one)
            if one.kappa.interval:
                axes.plot(one.kappa.interval, [places[key]] * 2, color=VERDICT_COLOURS[verdict], linewidth=1.8)
            if one.kappa.value is not None:
                marker, colour = VERDICT_MARKERS[verdict], VERDICT_COLOURS[verdict]
                axes.plot(one.kappa.value, places[key], marker, color=colour, markersize=6.5)
            if one.minimum_kappa is not None:
                axes.plot(one.minimum_kappa, places[key], "|", color=INK, markersize=13, markeredgewidth=2)
        lowest = min(low for one in shown.values() for low in (0.0, one.kappa.value or 0, *(one.kappa.interval or ())))
        axes.set_xlim(max(-1.05, lowest - 0.05), 1.05)

    def paint_rates(axes: Axes, places: Places) -> None:
        for key, one in shown.items():
            for rate, (_, marker, offset) in zip((one.tpr, one.tnr), _RATES, strict=True):
                _paint_rate(axes, places[key] + offset, rate, marker)
        axes.set_xlim(-2, 102)

    rows = [Row(key, _label(one), _group(one)) for key, one in shown.items()]
    kappas, rates = ({key: words(one) for key, one in shown.items()} for words in (_kappa, _rates))
    panels = [
        Panel("Cohen's kappa (0: as by chance, 1: always)", paint_kappa, kappas),
        Panel("right about good ones and about others, %", paint_rates, rates),
    ]
    legend = [
        Line2D(
            [],
            [],
            color=INK,
            linewidth=0,
            marker="|",
            markersize=11,
            markeredgewidth=2,
            label="least kappa asked for (lines: 95% intervals)",
        )
    ]
    legend += [Line2D([], [], color=MUTED, linewidth=1, marker=marker, label=name) for name, marker, _ in _RATES]
    title = TITLE if len(shown) == len(known) else f"{TITLE} ({len(shown)} of {len(known)} judges)"
    return Drawing(row_chart(title, rows, panels, legend, height=_HEIGHT), " ".join(map(_finding, shown.values())))


def _paint_rate(axes: Axes, y: float, rate: Share | None, marker: str) -> None:
    if rate is None or rate.share is None:
        return
    if rate.interval:
        axes.plot([100 * limit for limit in rate.interval], [y, y], color=MUTED, linewidth=1.2)
    axes.plot(100 * rate.share, y, marker, color=MUTED, markersize=5)


def _key(one: CalibrationRecord) -> str:
    return one.digest or one.judge


def _label(one: CalibrationRecord) -> str:
    synthetic = " (synthetic labels)" if one.mock and one.label_source == "synthetic" else ""
    return elide(one.judge, LABEL_LIMIT - len(synthetic)) + synthetic


def _group(one: CalibrationRecord) -> str:
    """What must stand wherever the numbers do."""
    if one.mock:
        return MOCK_NOTE
    return _SYNTHETIC if one.label_source == "synthetic" else "labels of people"


def _verdict(one: CalibrationRecord) -> str:
    if one.minimum_kappa is None:
        return "INCONCLUSIVE"
    return "PASS" if one.minimum_met else "REGRESSED"


def _kappa(one: CalibrationRecord) -> str:
    value = "not defined" if one.kappa.value is None else f"{one.kappa.value:.2f}"
    below = "  below what is asked for" if not one.minimum_met else ""
    return f"{value}, n = {one.kappa.n:,}{below}"


def _rates(one: CalibrationRecord) -> str:
    if one.tpr is None or one.tnr is None:
        return "not said which are good"
    return ", ".join("none" if rate.share is None else f"{rate.count:,} of {rate.n:,}" for rate in (one.tpr, one.tnr))


def _finding(one: CalibrationRecord) -> str:
    value = "a kappa that is not defined" if one.kappa.value is None else f"a kappa of {one.kappa.value:.2f}"
    interval = " [{:.2f}, {:.2f}]".format(*one.kappa.interval) if one.kappa.interval else ""
    asked = "" if one.minimum_met else f", below the {one.minimum_kappa:g} that is asked for"
    mock = f" ({MOCK_NOTE})" if one.mock else ""
    return f"{one.judge} has {value}{interval} on {one.kappa.n:,} {one.label_source} labels{asked}{mock}."
