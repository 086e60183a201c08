"""Two saved runs side by side as a page: what moved, by how much, how sure; what is new, missing or renamed."""

from pathlib import Path

from markupsafe import Markup

from tracegauge.reporting.comparison import comparison_sentence, row_words, run_words
from tracegauge.reporting.page import PageFigure, render_page
from tracegauge.results.comparison import Comparison, RunRef
from tracegauge.results.files import write_atomically


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page. Raises OSError where it can't be written."""
    from tracegauge.reporting.figures.comparison import TITLE, draw_comparison
    from tracegauge.reporting.figures.style import inline_svg

    drawing = draw_comparison(comparison)
    svg = Markup(inline_svg(drawing.figure, "comparison")) if drawing.figure else None
    html = render_page(
        "comparison.html.j2",
        comparison=comparison,
        sentence=comparison_sentence(comparison),
        runs=[("Base", run_words(comparison.base), _machine(comparison.base)),
              ("Candidate", run_words(comparison.candidate), _machine(comparison.candidate))],
        rows=[(row, row_words(row)) for row in comparison.rows],
        renamed=[(row.base_id, row.id) for row in comparison.rows if row.id != row.base_id],
        figure=PageFigure("comparison", TITLE, drawing.finding, svg),
        choices={
            "metric": list(dict.fromkeys(row_words(row).metric for row in comparison.rows)),
            "verdict": list(dict.fromkeys(str(row.verdict) for row in comparison.rows)),
        },
    )  # fmt: skip
    write_atomically(path, html)


def _machine(run: RunRef) -> str:
    if run.machine is None:
        return "machine not recorded"
    cores = f"{run.machine.cpu_cores} cores" if run.machine.cpu_cores else None
    return ", ".join(part for part in (run.machine.host, run.machine.cpu_model, cores) if part)
