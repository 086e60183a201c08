"""What every page shares: its template with style and script inside, so that one file needs nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import tracegauge
from tracegauge.results import Environment as MachineRecord


@dataclass(frozen=True)
class PageFigure:
    """A figure as it stands on a page."""

    name: str
    title: str
    finding: str
    svg: Markup | None
    """None where there is nothing to draw; `finding` says why."""
    picture: str | None = None
    """Its PNG, relative to the page."""


def render_page(template: str, **values: Any) -> str:
    """The page of a template. Everything but `Markup` is escaped; the same values give the same page.

    The page's own script is the only one that its content security policy lets run.
    """
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    values |= {"script": Markup(script), "script_digest": Markup(digest), "version": tracegauge.__version__}
    return _environment().get_template(template).render(values)


def machine_facts(environment: MachineRecord | None, started_at: str) -> str:
    """When, on which machine and of which commit, in one line."""
    facts: Sequence[str | None] = (started_at[:16].replace("T", " ") + " UTC",)
    if environment:
        cores = f"{environment.cpu_cores} {'core' if environment.cpu_cores == 1 else 'cores'}"
        mlflow = environment.packages.get("mlflow")
        facts = (
            *facts,
            f"{environment.host}, {cores}",
            mlflow and f"MLflow {mlflow}",
            environment.git_commit and f"commit {environment.git_commit[:10]}{'+' if environment.git_dirty else ''}",
        )
    return " · ".join(fact for fact in facts if fact)


@lru_cache(maxsize=1)
def _script() -> str:
    return files("tracegauge.reporting").joinpath("templates/tables.js").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tracegauge.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
