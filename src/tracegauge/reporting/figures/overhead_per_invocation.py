"""What tracing adds to an invocation, in milliseconds."""

from tracegauge.reporting.data import ReportData
from tracegauge.reporting.figures.drawing import Drawing
from tracegauge.reporting.figures.overhead import draw_overhead

TITLE = "Overhead over off, per invocation"


def draw(data: ReportData) -> Drawing:
    """Median over blocks of the difference to `off`, with its 95% interval."""
    return draw_overhead(data, TITLE, per_span=False)
