"""The report of a campaign as one HTML file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracegauge.reporting.cost_view import Column, Number, all_columns, number_of
from tracegauge.reporting.data import ReportData
from tracegauge.reporting.judges_view import judges_view
from tracegauge.reporting.numbers import render_coverage, render_value
from tracegauge.reporting.page import PageFigure, machine_facts, render_page
from tracegauge.reporting.words import (
    against_sentence,
    control_words,
    criterion_words,
    difference_words,
    loss_sentence,
    scope_sentence,
    scorecard_title,
    verdict_sentence,
    worst_first,
)
from tracegauge.results import Cell
from tracegauge.results.against import Against
from tracegauge.results.blocks import blocks_in_words
from tracegauge.results.files import SAMPLES_FILE, VERDICT_FILE
from tracegauge.results.judges_report import JUDGES_FILE

MOST_SPREAD = 3
"""Warnings of spread and drift that stand among the others; more are folded up."""
MOST_DETAIL = 4000
"""Characters of a failure's detail that the page shows; all of it is in the raw data."""


@dataclass(frozen=True)
class CostRow:
    """One row of the cost table."""

    cell: str
    of: Cell
    label: str
    passed: int
    coverage: str
    """Blocks that passed their checks, of those planned."""
    trouble: str | None
    lost: str
    lost_share: float | str
    """To sort by; empty where no trace could be counted."""
    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class FailureRow:
    """One row of the table of failures."""

    cell: str
    blocks: str
    kind: str
    message: str
    detail: str | None
    """The end of it, where it is long: that is where a traceback says what happened."""


def render_html(data: ReportData, figures: Sequence[PageFigure]) -> str:
    """The page. Everything but the figures' SVG is escaped; the same data give the same page."""
    columns = all_columns(data)
    groups = _groups(data, columns)
    cells = data.results.cells.values()
    warnings, spread = _warnings(data.verdict.warnings)
    return render_page(
        "report.html.j2",
        campaign=data.results.record,
        facts=machine_facts(data.results.environment, data.results.record.started_at),
        verdict=data.verdict,
        sentence=verdict_sentence(data.verdict),
        scope=scope_sentence(data),
        criteria=[criterion_words(criterion) for criterion in data.verdict.criteria],
        verdicts=[criterion_words(criterion) for criterion in worst_first(data.verdict.criteria)],
        controls=[control_words(control) for control in data.verdict.controls],
        scorecard=scorecard_title(data.verdict),
        confidence=max((c.confidence for c in data.verdict.criteria), default=0.95),
        relative=any(criterion.kind == "ratio" for criterion in data.verdict.criteria),
        loss=loss_sentence(data),
        warnings=warnings,
        spread=spread,
        figures=figures,
        choices={
            "workflow": list(dict.fromkeys(cell.workflow for cell in cells)),
            "instrument": list(dict.fromkeys(cell.instrument for cell in cells)),
            "backend": list(dict.fromkeys(cell.backend or "none" for cell in cells)),
        },
        shown=len(data.drawn),
        columns=columns,
        groups=groups,
        unsound=any(not number.sound for rows in groups.values() for row in rows for number in row.numbers),
        judges=judges_view(data.judges) if data.judges else None,
        failures=_failures(data),
        environment=_environment(data),
        samples_file=SAMPLES_FILE,
        verdict_file=VERDICT_FILE,
        judges_file=JUDGES_FILE,
    )


def _warnings(all_warnings: Sequence[str]) -> tuple[list[str], list[str]]:
    """What everybody should read; and, where there is much of it, what single numbers' intervals say too."""
    spread = [warning for warning in all_warnings if warning.startswith(("unstable: ", "drift: "))]
    if len(spread) <= MOST_SPREAD:
        return list(all_warnings), []
    return [warning for warning in all_warnings if warning not in spread], spread


def _failures(data: ReportData) -> list[FailureRow]:
    return [
        FailureRow(
            cell=failure.cell,
            blocks=blocks_in_words(failure.blocks),
            kind=failure.kind.replace("_", " "),
            message=failure.message,
            detail=failure.detail and failure.detail[-MOST_DETAIL:],
        )
        for failure in data.failures.itertuples()
    ]


def _groups(data: ReportData, columns: Sequence[Column]) -> dict[str, list[CostRow]]:
    """The rows of the cost table by workflow."""
    groups: dict[str, list[CostRow]] = {}
    for cell, of in data.results.cells.items():
        loss = data.losses.loc[cell]
        trouble = f"{loss.failed} of {loss.measured} blocks failed: {loss.what}" if loss.failed else None
        row = CostRow(
            cell=cell,
            of=of,
            label=data.label(cell),
            passed=int(loss.measured - loss.failed),
            coverage=render_coverage(int(loss.measured - loss.failed), int(loss.m)),
            trouble=trouble if loss.measured else "not measured",
            lost=f"{loss.lost:,} of {loss.made:,}" if loss.made else "–",
            lost_share=loss.lost / loss.made if loss.made else "",
            numbers=tuple(number_of(data, cell, column) for column in columns),
        )
        groups.setdefault(of.workflow, []).append(row)
    return groups


def _environment(data: ReportData) -> list[tuple[str, str]]:
    """Names and values of what is known of the machine; what could not be found out is left out."""
    environment = data.results.environment
    if environment is None:
        return []
    load = environment.load_average_1m
    dirty = " with uncommitted changes" if environment.git_dirty else ""
    setups = ", ".join(f"{name} {render_value(ms, 'ms')}" for name, ms in environment.store_setup_ms.items())
    pairs = [
        ("Measured", environment.measured_at),
        ("Host", environment.host),
        ("CPU", f"{environment.cpu_model or 'unknown'}, {environment.cpu_cores} logical cores"),
        ("Frequency governor", environment.cpu_governor),
        ("Load average, 1 min", None if load is None else f"{load:.2f}"),
        ("Memory", render_value(environment.memory_bytes, "B")),
        ("Disk", environment.disk_type),
        ("System", environment.os),
        ("Python", environment.python),
        ("Packages", ", ".join(f"{name} {version}" for name, version in environment.packages.items())),
        ("Commit", f"{environment.git_commit}{dirty}" if environment.git_commit else None),
        ("Making one new store", setups or None),
        *_other_side(data.results.record.against),
    ]
    return [(name, value) for name, value in pairs if value]


def _other_side(against: Against | None) -> list[tuple[str, str]]:
    if against is None:
        return []
    packages = "; ".join(map(difference_words, against.packages))
    return [("Measured against", against_sentence(against)), ("Packages that differ", packages)]
