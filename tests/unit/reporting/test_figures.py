"""Figures are drawn for real; what can be wrong with a picture is checked on the artists and their places."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from tracegauge.reporting import FIGURES, ReportData, draw_figure
from tracegauge.reporting.data import MOST_DRAWN
from tracegauge.reporting.figures.style import PNG_HEIGHT, elide, inline_svg, png_bytes, styled, text_width
from tracegauge.results import CampaignVerdict, Failure, Verdict
from tracegauge.results.calibration import MOCK_NOTE
from tracegauge.results.judges_report import read_judges

DATA = Path(__file__).resolve().parents[2] / "data"


def undecided(*criteria):
    return CampaignVerdict(campaign="c", verdict=Verdict.INCONCLUSIVE, criteria=criteria)


@pytest.fixture
def crowded(factory):
    """40 cells with names as long as somebody may choose them, some of which failed."""
    long = "a_workflow_whose_name_says_everything_that_it_does_" * 3
    cells = factory.make_cells([f"{long}{n}" for n in range(3)], concurrency=(1, 32))[:40]
    trouble = [Failure(kind="wrong_span_count", message="12 spans are in the store; 11 are expected")]
    samples = [
        factory.make_sample(cell, block, invocations=5, failures=trouble if block == 1 and n % 4 == 0 else ())
        for block in range(6)
        for n, cell in enumerate(cells)
    ]
    criteria = [
        factory.make_criterion(f"{long}{n}", Verdict.PASS, estimate=1.0 + n / 9, interval=(0.9, 1.4 + n))
        for n in range(5)
    ]
    judges = read_judges(DATA)
    renamed = [one.model_copy(update={"judge": f"{one.judge} {long}"}) for one in judges.calibrations]
    judges = judges.model_copy(update={"calibrations": tuple(renamed)})
    return ReportData(factory.make_results(cells, samples), undecided(*criteria), judges)


def texts_with_extents(figure):
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        out_of_view = {
            label
            for axes in figure.axes
            for axis in (axes.xaxis, axes.yaxis)
            for tick in axis.get_major_ticks()
            if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
            for label in (tick.label1, tick.label2)
        }
        shown = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
        texts = [text for text in shown if text not in out_of_view]
        return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts], canvas


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_overlaps_another_or_leaves_the_picture(name, crowded):
    figure = draw_figure(name, crowded).figure
    extents, canvas = texts_with_extents(figure)
    width, height = canvas.get_width_height()
    inside = [(text, box) for text, box in extents if box.x1 > 0 and box.x0 < width and box.y1 > 0 and box.y0 < height]
    assert len(inside) > 5
    for text, box in inside:
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text
    for (one, a), (other, b) in combinations(inside, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        along = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.5 or along <= 0.5, f"{one!r} overlaps {other!r}"


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_says_what_it_shows_and_in_what_unit(name, crowded):
    units = ("ms", "KiB", "%", "ratio", "the same close up", "traces in the store", "callers at once", "kappa")
    for axes in draw_figure(name, crowded).figure.axes:
        assert any(unit in axes.get_xlabel() for unit in units), axes.get_xlabel()


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "blocks_of", [lambda f, c: [], lambda f, c: [f.make_sample(c, b, crash="boom") for b in range(6)]],
    ids=["nothing", "all crashed"],
)  # fmt: skip
def test_campaigns_without_numbers_say_why_there_is_no_figure(name, factory, blocks_of):
    cells = factory.make_cells()
    results = factory.make_results(cells, [sample for cell in cells for sample in blocks_of(factory, cell)])
    drawing = draw_figure(name, ReportData(results, undecided()))
    if name == "losses" and results.samples:
        assert "7 of 7 cells failed" in drawing.finding
    else:
        assert drawing.figure is None
        assert drawing.finding.endswith(".")


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(6, 7)], ids=["off", "autolog"])
@pytest.mark.parametrize("blocks", [1, 6])
def test_a_single_cell_is_drawn_where_it_has_the_numbers(factory, chosen, blocks):
    cells = factory.make_cells()[chosen]
    samples = [factory.make_sample(cell, block) for block in range(blocks) for cell in cells]
    data = ReportData(factory.make_results(cells, samples, blocks=blocks), undecided())
    drawn = {name for name in FIGURES if draw_figure(name, data).figure}
    stores = {"bytes_per_trace", "reads", "losses"} if cells[0].backend else set()
    assert drawn == {"latency"} | stores


def test_longest_bar_fits_its_axis_though_a_shorter_part_is_drawn_over_it(factory):
    data = ReportData(*factory.make_quick())
    cpu = draw_figure("cost_ladder", data).figure.axes[1]
    assert cpu.get_xlim()[1] > data.overheads.xs("cpu_overhead_ms", level="quantity")["median"].max()


def test_the_ladder_begins_with_off_and_climbs_by_added_cpu(factory):
    data = ReportData(*factory.make_quick())
    figure = draw_figure("cost_ladder", data).figure
    rungs = [text.get_text().partition(" (")[0] for text in figure.texts if text.get_ha() == "right"]
    assert rungs == [
        "off", "manual_spans · file", "autolog · file", "manual_spans · sqlite", "autolog · sqlite",
        "legacy_runs · file", "legacy_runs · sqlite",
    ]  # fmt: skip
    assert any(text.get_text() == "1.41 ms by itself" for text in figure.texts)


def test_what_costs_less_than_off_has_room_left_of_zero(factory):
    cells = factory.make_cells()[:2]
    off, traced = cells
    samples = [factory.make_sample(cell, block) for block in range(6) for cell in cells]
    swapped = [s.model_copy(update={"cell": traced if s.cell == off else off}) for s in samples]
    swapped = [s.model_copy(update={"measurement": s.measurement.model_copy(update={"counts": None})}) for s in swapped]
    latency = draw_figure("cost_ladder", ReportData(factory.make_results(cells, swapped), undecided())).figure.axes[0]
    assert latency.get_xlim()[0] < -40
    assert latency.get_xlim()[1] >= 0


def test_loss_over_load_is_drawn_for_several_concurrencies(factory):
    cells = factory.make_cells(concurrency=(1, 8))
    samples = [
        factory.make_sample(cell, block, invocations=10, lost=3 if cell.concurrency == 8 and cell.backend else 0)
        for block in range(6)
        for cell in cells
    ]
    drawing = draw_figure("load", ReportData(factory.make_results(cells, samples), undecided()))
    throughput, lost = drawing.figure.axes
    assert [tick.get_text() for tick in lost.get_xticklabels()] == ["1", "8"]
    assert lost.get_ylim()[1] > 30
    assert len(throughput.lines) == 7
    assert "With 8 callers at once" in drawing.finding
    assert "lost 30.0%" in drawing.finding


def test_controls_are_neither_findings_nor_second_points_of_a_line(factory):
    off, *_, autolog = factory.make_cells()
    *_, loaded = factory.make_cells(concurrency=(1, 8))
    slowed = autolog.model_copy(update={"control": "injected", "slowdown": 0.1})

    def data_of(*cells):
        samples = [factory.make_sample(cell, block, invocations=9) for block in range(6) for cell in cells]
        return ReportData(factory.make_results(cells, samples), undecided())

    for name in ("latency", "cost_ladder", "bytes_per_trace"):
        finding = draw_figure(name, data_of(off, autolog, slowed)).finding
        assert autolog.id in finding
        assert slowed.id not in finding
    throughput, lost = draw_figure("load", data_of(off, autolog, loaded, slowed)).figure.axes
    assert sorted(len(line.get_xdata()) for line in throughput.lines) == [1, 2]
    assert [list(line.get_xdata()) for line in lost.lines] == [[1, 8]]
    alone = draw_figure("bytes_per_trace", data_of(off, slowed))
    assert slowed.id in alone.finding, "there is nothing else to tell of"


def test_judges_stand_under_what_their_labels_are_worth_with_the_kappa_that_is_asked_for(factory):
    drawing = draw_figure("judge_calibration", ReportData(*factory.make_quick(), read_judges(DATA)))
    texts = [text.get_text() for text in drawing.figure.texts]
    order = ["labels of people", "groundedness", "helpfulness", MOCK_NOTE, "answer_relevance (synthetic labels)"]
    assert [text for text in texts if text in order] == order
    assert "-0.09, n = 58  below what is asked for" in texts
    assert "72 of 76, 36 of 40" in texts
    assert "groundedness has a kappa of 0.85 [0.71, 0.93] on 116 human labels." in drawing.finding
    assert f"58 synthetic labels, below the 0.6 that is asked for ({MOCK_NOTE})." in drawing.finding
    kappa, rates = drawing.figure.axes
    assert kappa.get_xlim()[0] < -0.33
    assert rates.get_xlim()[1] > 100


def test_no_figure_carries_a_path_per_block(factory):
    """Thirty blocks make the same number of paths as six."""
    cells = factory.make_cells()

    def elements(blocks):
        samples = [factory.make_sample(c, b, invocations=5) for b in range(blocks) for c in cells]
        data = ReportData(factory.make_results(cells, samples, blocks=blocks), undecided())
        return {
            n: inline_svg(draw_figure(n, data).figure, n).count("<path") for n in ("latency", "cost_ladder", "reads")
        }

    assert elements(30) == pytest.approx(elements(6), abs=12)


def test_of_too_many_cells_those_of_criteria_and_those_that_failed_are_drawn(factory):
    cells = factory.make_cells([f"w{n:02}" for n in range(12)])
    assert len(cells) == 84 > MOST_DRAWN
    samples = [
        factory.make_sample(cell, 0, invocations=3, lost=1 if cell == cells[-1] else 0, read_sizes=()) for cell in cells
    ]
    named = factory.make_criterion(
        "c", Verdict.PASS, estimate=1, interval=(1, 1), candidate=cells[-3].id, baseline=cells[-2].id
    )
    data = ReportData(factory.make_results(cells, samples, blocks=1), undecided(named))
    assert len(data.drawn) == MOST_DRAWN
    assert data.drawn[-3:] == [cell.id for cell in cells[-3:]]
    assert data.drawn[:-3] == [cell.id for cell in cells[: MOST_DRAWN - 3]]
    texts = [text.get_text() for text in draw_figure("losses", data).figure.findobj(Text)]
    assert f"Traces lost, and blocks that failed ({MOST_DRAWN} of 84 cells)" in texts


def test_pngs_have_twice_the_natural_size_but_bounded_height(factory):
    import io

    small = draw_figure("bytes_per_trace", ReportData(*factory.make_quick())).figure
    width, height = small.get_size_inches()
    size = Image.open(io.BytesIO(png_bytes(small))).size
    assert size == pytest.approx((200 * width, 200 * height), abs=1)
    small.set_figheight(100)
    assert Image.open(io.BytesIO(png_bytes(small))).size[1] == PNG_HEIGHT


def test_inline_svg_takes_its_inks_from_the_page_and_shares_no_id(factory):
    data = ReportData(*factory.make_quick())
    svgs = {name: inline_svg(draw_figure(name, data).figure, name) for name in ("latency", "losses")}
    for name, svg in svgs.items():
        assert svg.startswith("<svg")
        assert "var(--ink)" in svg
        assert "<metadata" not in svg
        assert 'id="' in svg
        assert all(part.startswith(f"{name}-") for part in svg.split('id="')[1:])
        assert all(part.startswith(f"{name}-") for part in svg.split("url(#")[1:])


def test_hostile_names_are_text_in_the_svg(factory):
    hostile = '<script>alert("$x_1$")</script>&amp;</svg>'
    cells = factory.make_cells([hostile])
    data = ReportData(factory.make_results(cells, [factory.make_sample(c, 0) for c in cells], blocks=1), undecided())
    svg = inline_svg(draw_figure("losses", data).figure, "losses")
    assert "<script" not in svg
    assert svg.count("</svg>") == 1
    assert "&lt;script&gt;" in svg
    assert "$x_1$" in svg, "no part of a name is taken for a formula"


def test_an_unknown_figure_is_refused(factory):
    with pytest.raises(KeyError):
        draw_figure("os", ReportData(*factory.make_quick()))


def test_eliding_keeps_both_ends():
    assert elide("short", 10) == "short"
    assert elide("abcdefghijklmnop", 10) == "abcdef…nop"
    assert elide("two\nlines", 10) == "two lines"


def test_names_in_any_letters_are_drawn_without_a_warning_and_have_room(factory, recwarn):
    name = "支援エージェント"
    cells = factory.make_cells([name])
    data = ReportData(factory.make_results(cells, [factory.make_sample(cell, 0) for cell in cells]), undecided())
    drawing = draw_figure("bytes_per_trace", data)
    assert name in inline_svg(drawing.figure, "f")
    assert png_bytes(drawing.figure)
    assert text_width(name) == pytest.approx(8 * 9 / 72)  # eight letters as wide as high, at nine points
    assert text_width("عميل") > 0
    assert [str(warning.message) for warning in recwarn] == []


def test_text_width_grows_with_text_and_size():
    assert text_width("") == 0
    assert text_width("mm", 9) == pytest.approx(2 * text_width("m", 9), rel=0.1)
    assert text_width("abc", 18) == pytest.approx(2 * text_width("abc", 9), rel=0.05)


def test_matplotlib_is_not_imported_before_a_figure_is_drawn():
    code = "import sys, tracegauge.reporting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
