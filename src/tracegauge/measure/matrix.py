"""The matrix: from a campaign to its cells."""

from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import PurePath

from tracegauge.config.campaign import Matrix, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.measure.backends import backend_named
from tracegauge.measure.instruments import instrument_named
from tracegauge.results import Cell


def workflow_name(workflow: MeasuredWorkflow) -> str:
    """The short name that stands in cell ids: as given, else from the graph, the attribute or the file."""
    if workflow.name:
        return workflow.name
    reference, _, graph = workflow.workflow.partition("#")
    if graph:
        return graph
    path, colon, attribute = reference.rpartition(":")
    if colon and path:
        return attribute
    file = PurePath(reference)
    return file.parent.name if file.name == "langgraph.json" else file.stem


def build_cells(matrix: Matrix) -> tuple[Cell, ...]:
    """All combinations of the matrix's lists, less its excluded ones, each once and in the order of the lists.

    Raises ConfigError for an unknown instrument or backend, for two workflows of one name, for an `exclude` that
    matches nothing, and where nothing is left.
    """
    names = Counter(workflow_name(workflow) for workflow in matrix.workflows)
    for name, count in names.items():
        if count > 1:
            raise ConfigError(
                f"{count} workflows of the campaign are called {name!r}", hint="give each a `name` of its own"
            )
    cells = list(dict.fromkeys(_combinations(matrix)))
    for selector in matrix.exclude:
        if not any(selector.matches(cell) for cell in cells):
            raise ConfigError(
                f"exclude {selector.model_dump(exclude_none=True)} matches no cell of the matrix",
                hint="the cells are " + ", ".join(cell.id for cell in cells),
            )
    left = tuple(cell for cell in cells if not any(selector.matches(cell) for selector in matrix.exclude))
    if not left:
        raise ConfigError("the matrix has no cells left", hint="exclude fewer of them")
    return left


def _combinations(matrix: Matrix) -> Iterable[Cell]:
    for workflow, instrument_name, concurrency in product(matrix.workflows, matrix.instruments, matrix.concurrency):
        instrument = instrument_named(instrument_name)
        backends = matrix.backends if instrument.writes != "nothing" else (None,)
        deliveries = matrix.deliveries if instrument.writes == "traces" else (None,)
        for backend, delivery in product(backends, deliveries):
            if backend is not None:
                backend_named(backend)
            yield Cell(
                workflow=workflow_name(workflow),
                instrument=instrument_name,
                backend=backend,
                delivery=delivery,
                concurrency=concurrency,
            )
