"""Writing the report of a campaign's folder, and single figures of it."""

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures import FIGURES, draw_figure, figure_title
from tracegauge.reporting.html import render_html
from tracegauge.reporting.page import PageFigure
from tracegauge.results.files import FIGURES_FOLDER, REPORT_FILE, read_campaign, read_verdict, write_atomically
from tracegauge.results.judges_report import read_judges


def read_report_data(folder: Path) -> ReportData:
    """Read what the views show of a judged campaign.

    Raises ResultFileError if the folder holds no campaign, if it has not been judged yet, or if a file is damaged.
    """
    return ReportData(read_campaign(folder), read_verdict(folder), read_judges(folder))


def write_report(
    folder: Path,
    data: ReportData | None = None,
    on_progress: Callable[[int, int, str], None] = lambda _done, _total, _step: None,
) -> Path:
    """Write `index.html` and `figures/*.png` into a judged campaign's folder; returns the path of the page.

    `data` is what was read of the folder, where it has been read already. Each file is written under a temporary name
    and renamed, the page last. Figures that an earlier report drew and that there is nothing to draw for now are
    removed. `on_progress` is told before each figure how many are done, of how many, and what comes. Raises what
    `read_report_data` raises, and OSError if the folder can't be written to.
    """
    from tracegauge.reporting.figures.style import inline_svg, png_bytes

    data = data or read_report_data(folder)
    pictures = folder / FIGURES_FOLDER
    pictures.mkdir(exist_ok=True)
    figures = []
    for number, name in enumerate(FIGURES):
        on_progress(number, len(FIGURES), f"drawing {name}")
        drawing = draw_figure(name, data)
        picture = pictures / f"{name}.png"
        if drawing.figure is None:
            picture.unlink(missing_ok=True)
            figures.append(PageFigure(name, figure_title(name), drawing.finding, None))
        else:
            write_atomically(picture, png_bytes(drawing.figure))
            svg = Markup(inline_svg(drawing.figure, name))
            figures.append(
                PageFigure(name, figure_title(name), drawing.finding, svg, f"{FIGURES_FOLDER}/{picture.name}")
            )
    page = folder / REPORT_FILE
    write_atomically(page, render_html(data, figures))
    return page


def write_figure(name: str, data: ReportData, path: Path) -> str | None:
    """Write one figure as PNG (2x) or SVG, by the file's suffix; returns its finding in words.

    None, and no file, where there is nothing to draw: `draw_figure(name, data).finding` says why. Raises KeyError for
    an unknown figure and OSError if the file can't be written.
    """
    from tracegauge.reporting.figures.style import png_bytes, standalone_svg

    drawing = draw_figure(name, data)
    if drawing.figure is None:
        return None
    write_atomically(path, standalone_svg(drawing.figure) if path.suffix == ".svg" else png_bytes(drawing.figure))
    return drawing.finding
