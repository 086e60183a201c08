"""A calibration in the terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tracegauge.results.calibration import CalibrationRecord, Coefficient, Share

_SHOWN = 12
_WEIGHTED = {"none": "", "linear": ", linear weights", "quadratic": ", quadratic weights"}


def calibration_view(record: CalibrationRecord) -> RenderableType:
    """Agreement, confusion matrix, disagreements and warnings; what matters most stands last."""
    digest = f" ({record.digest})" if record.digest else ""
    title = f"{record.judge}{digest} against {record.label_source} labels: {record.labels_from}"
    parts: list[RenderableType] = [Text(title, style="bold"), _agreement(record)]
    if record.confusion:
        parts.append(_confusion(record))
    if record.disagreements:
        shown = [f"{one.item} (label {one.label}, verdict {one.verdict})" for one in record.disagreements[:_SHOWN]]
        more = len(record.disagreements) - len(shown)
        more_text = f" … and {more} more, in the record" if more else ""
        parts.append(Text(f"disagree on {len(record.disagreements)}: {'; '.join(shown)}{more_text}"))
    parts.extend(Text(f"note: {warning}", style="yellow") for warning in record.warnings)
    if record.minimum_kappa is not None:
        style = "bold green" if record.minimum_met else "bold red"
        word = "met" if record.minimum_met else "NOT met"
        parts.append(Text(f"minimum kappa of {record.minimum_kappa:g}: {word}", style=style))
    return Group(*parts)


def share_text(share: Share | None) -> str:
    """A share with interval and counts."""
    if share is None or share.share is None or share.interval is None:
        return "–"
    low, high = share.interval
    return f"{share.share:.3f} [{low:.3f}, {high:.3f}]  {share.count} of {share.n}"


def _coefficient(of: Coefficient) -> str:
    if of.value is None:
        return f"not defined  n = {of.n}"
    interval = f" [{of.interval[0]:.3f}, {of.interval[1]:.3f}]" if of.interval else " (no interval)"
    return f"{of.value:.3f}{interval}  n = {of.n}"


def _rows(record: CalibrationRecord) -> Iterator[tuple[str, str]]:
    if record.accuracy:
        yield "accuracy", share_text(record.accuracy)
    yield f"Cohen's kappa{_WEIGHTED[record.kappa_weights]}", _coefficient(record.kappa)
    yield "Krippendorff's alpha", _coefficient(record.alpha)
    if record.mean_error is not None:
        yield "mean absolute error", f"{record.mean_error:.3f}"
    if record.base_rate:
        yield "TPR: good ones called good", share_text(record.tpr)
        yield "TNR: others not called good", share_text(record.tnr)
        yield "base rate: labels that are good", share_text(record.base_rate)
        yield "verdicts that are good", share_text(record.judge_rate)
    if people := record.annotators:
        yield f"{people.count} people among themselves: alpha", _coefficient(people.alpha)
        ceiling, mean = (f"{one:.3f}" if one is not None else "–" for one in (people.kappa, people.judge_kappa))
        yield "  mean kappa of two people: the ceiling", ceiling
        yield "  mean kappa of judge and one person", mean
    if orders := record.both_orders:
        yield "same verdict in both orders", share_text(orders.consistent)
        yield "right in both orders", share_text(orders.correct_in_both)
        yield "first preferred, where the order decides", share_text(orders.first_preferred)
    yield "labelled, judged, missing", f"{record.labelled}, {record.judged}, {record.missing}"


def _agreement(record: CalibrationRecord) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    table.add_column("[95% interval]", overflow="fold")
    for name, value in _rows(record):
        table.add_row(Text(name), Text(value))
    return table


def _confusion(record: CalibrationRecord) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("label ↓  verdict →", overflow="fold")
    for category in record.categories:
        table.add_column(Text(str(category)), justify="right", overflow="fold")
    for category, row in zip(record.categories, record.confusion, strict=True):
        table.add_row(Text(str(category)), *(f"{count:,}" for count in row))
    return table
