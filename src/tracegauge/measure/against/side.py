"""The other side, ready to be measured: its code, its packages, and the cells that run on them."""

import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tracegauge
from tracegauge.config.campaign import Campaign, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.measure.against.environment import environment_with
from tracegauge.measure.against.packages import Packages, differences, installed_packages
from tracegauge.measure.against.reference import Reference, RequirementReference, Revision
from tracegauge.measure.against.worktree import checked_out
from tracegauge.measure.software import HERE, Software
from tracegauge.results import Cell
from tracegauge.results.against import Against
from tracegauge.workflows.loading import inputs_beside


@dataclass(frozen=True)
class Sides:
    """What a campaign measures: one side, or two."""

    against: Against | None
    """The other side; None where there is none."""
    environments: Mapping[str | None, Software]
    """What `run_campaign` needs to know."""


ONE_SIDE = Sides(None, {None: HERE})


@contextmanager
def open_other_side(
    reference: Reference, margin: float, on_step: Callable[[str], None] = lambda _: None
) -> Iterator[Sides]:
    """Make the other side's code and packages ready; `on_step` is told what is being done.

    Raises ConfigError for a revision that can't be checked out or has not the current directory, and for an environment
    that can't be built.
    """
    here = installed_packages(sys.executable)
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracegauge-against-")))
        folder = None
        code = None
        if isinstance(reference, Revision):
            on_step(f"checking {reference.text} out")
            code = stack.enter_context(checked_out(reference, temporary / "code"))
            folder = _counterpart(Path.cwd(), reference, code)
            if not folder.is_dir():
                raise ConfigError(f"{reference.text} has no folder {Path.cwd().relative_to(reference.repository)}")
            targets = _targets(reference, code, here)
            content = f"{reference.commit} {folder.relative_to(code)} in {reference.repository}"
        else:
            targets, content = [reference.text], reference.text
        on_step(f"building the environment of {reference.text} (kept for the next time)")
        interpreter = environment_with(reference.environment, targets, here, content) if targets else sys.executable
        there = installed_packages(str(interpreter))
        yield Sides(
            against=Against(
                reference=reference.text,
                kind="requirement" if isinstance(reference, RequirementReference) else "revision",
                environment=reference.environment,
                commit=reference.commit if isinstance(reference, Revision) else None,
                margin=margin,
                packages=differences(here, there),
            ),
            environments={
                None: HERE,
                reference.environment: Software(
                    interpreter=str(interpreter),
                    folder=folder,
                    environment={"PYTHONPATH": _python_path(temporary, reference, code)},
                ),
            },
        )


def old_cells(cells: Sequence[Cell], environment: str) -> tuple[Cell, ...]:
    """The same cells in the other environment."""
    return tuple(cell.model_copy(update={"environment": environment}) for cell in cells)


def shared_campaign(campaign: Campaign, reference: Reference) -> Campaign:
    """The campaign as both sides can read it, each from its own current directory; without reads, which are not judged.

    Code comes from each side's own checkout; inputs are the ones of here, or else a change of inputs would look like a
    change of speed.
    """
    workflows = tuple(_shared(workflow, reference) for workflow in campaign.matrix.workflows)
    return campaign.model_copy(
        update={
            "name": f"{campaign.name}-against-{reference.environment}",
            "matrix": campaign.matrix.model_copy(update={"workflows": workflows}),
            "measure": campaign.measure.model_copy(update={"read_sizes": ()}),
            "criteria": (),
        }
    )


def _shared(workflow: MeasuredWorkflow, reference: Reference) -> MeasuredWorkflow:
    named = workflow.workflow
    inputs = workflow.inputs or (inputs_beside(Path(named.partition("#")[0])) if ".json" in named else None)
    if isinstance(reference, Revision) and Path(named).is_relative_to(reference.repository):
        named = os.path.relpath(named)
    absolute = str(Path(inputs).absolute()) if inputs and Path(inputs).exists() else inputs
    return workflow.model_copy(update={"workflow": named, "inputs": absolute})


def _targets(revision: Revision, code: Path, here: Packages) -> list[str]:
    """What pip installs of a revision: the project that the current directory belongs to, and those of the repository
    that are installed here. None: the revision says nothing of its packages, so they are the ones of here."""
    installed = [Path(package.folder) for package in here.values() if package.folder]
    projects = [folder for folder in installed if folder.is_relative_to(revision.repository)]
    folder = Path.cwd()
    for parent in (folder, *folder.parents):
        there = _counterpart(parent, revision, code)
        if (there / "setup.py").is_file() or _is_project(there / "pyproject.toml"):
            projects.append(parent)
            break
        if (there / "requirements.txt").is_file():
            return ["-r", str(there / "requirements.txt"), *_existing(projects, revision, code)]
        if parent == revision.repository:
            break
    return _existing(projects, revision, code)


def _existing(projects: Sequence[Path], revision: Revision, code: Path) -> list[str]:
    folders = (_counterpart(project, revision, code) for project in projects)
    return [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]


def _is_project(file: Path) -> bool:
    """Whether it is a `pyproject.toml` that can be installed, rather than one that only configures tools."""
    if not file.is_file():
        return False
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return True  # pip says what is wrong with it
    return "project" in content or "build-system" in content


def _counterpart(folder: Path, revision: Revision, code: Path) -> Path:
    return code / folder.relative_to(revision.repository)


def _python_path(temporary: Path, reference: Reference, code: Path | None) -> str:
    """This very tracegauge first, whatever the other environment has; then what PYTHONPATH already adds here."""
    running = temporary / "running"
    running.mkdir()
    (running / "tracegauge").symlink_to(Path(tracegauge.__file__).resolve().parent)
    given = [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if isinstance(reference, Revision) and code is not None:
        given = [
            _counterpart(entry, reference, code) if entry.is_relative_to(reference.repository) else entry
            for entry in given
        ]
    return os.pathsep.join(map(str, [running, *given]))
