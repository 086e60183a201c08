"""`reports/index.html`: every saved report with date, commit, machine and verdict."""

from dataclasses import dataclass
from pathlib import Path

from tracegauge.reporting.page import render_page
from tracegauge.reporting.saved import SavedCampaign, Unreadable, saved_campaigns
from tracegauge.reporting.words import verdict_sentence
from tracegauge.results.files import REPORT_FILE, write_atomically

INDEX_FILE, HISTORY_FILE = "index.html", "history.html"


@dataclass(frozen=True)
class IndexRow:
    """One report."""

    name: str
    link: str | None
    """Relative to the index; None where the page is missing."""
    started_at: str
    verdict: str
    sentence: str
    commit: str
    machine: str
    mlflow: str


def write_index(reports: Path) -> Path:
    """Write the index of the reports below the folder; returns its path. Raises OSError where it can't be written."""
    found = saved_campaigns(reports)
    rows = [_row(one) for one in found if isinstance(one, SavedCampaign)]
    unreadable = [one for one in found if isinstance(one, Unreadable)]
    page = reports / INDEX_FILE
    html = render_page(
        "index.html.j2",
        rows=rows,
        unreadable=unreadable,
        choices={"campaign": list(dict.fromkeys(row.name for row in rows))},
        history=HISTORY_FILE if (reports / HISTORY_FILE).is_file() else None,
    )
    write_atomically(page, html)
    return page


def _row(saved: SavedCampaign) -> IndexRow:
    environment = saved.environment
    commit = environment.git_commit if environment else None
    return IndexRow(
        name=saved.record.name,
        link=f"{saved.folder.name}/{REPORT_FILE}" if saved.page else None,
        started_at=saved.record.started_at,
        verdict=str(saved.verdict.verdict) if saved.verdict else "",
        sentence=verdict_sentence(saved.verdict) if saved.verdict else "It has not been judged yet.",
        commit=f"{commit[:10]}{' + changes' if environment and environment.git_dirty else ''}" if commit else "–",
        machine=f"{environment.host}, {environment.cpu_cores} cores" if environment else "–",
        mlflow=environment.packages.get("mlflow", "–") if environment else "–",
    )
