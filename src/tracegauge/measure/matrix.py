"""The matrix: from a campaign to its cells."""

from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import get_args

from tracegauge.config.campaign import Matrix, MeasuredWorkflow
from tracegauge.config.errors import ConfigError, about, nearest
from tracegauge.config.observability import Delivery
from tracegauge.measure.backends import backend_named
from tracegauge.measure.instruments import instrument_named
from tracegauge.results import Cell


def workflow_name(workflow: MeasuredWorkflow) -> str:
    """The short name that stands in cell ids: as given, else from the graph, the attribute, the file or its folder."""
    if workflow.name:
        return workflow.name
    reference, _, graph = workflow.workflow.partition("#")
    if graph:
        return graph
    path, colon, attribute = reference.rpartition(":")
    if colon and path:
        return attribute
    file = Path(reference)
    return (file.absolute().parent.name or "graph") if file.name == "langgraph.json" else file.stem


def build_cells(matrix: Matrix) -> tuple[Cell, ...]:
    """All combinations of the matrix's lists, less its excluded ones, each once and in the order of the lists.

    Raises ConfigError for an unknown instrument or backend, for two workflows of one name, for an `exclude` that
    matches nothing, and where nothing is left.
    """
    _check_names(matrix)
    names = Counter(workflow_name(workflow) for workflow in matrix.workflows)
    name, count = names.most_common(1)[0]
    if count > 1:
        with about("matrix", "workflows"):
            raise ConfigError(
                f"{count} workflows of the campaign are called {name!r}", hint="give each a `name` of its own"
            )
    cells = list(dict.fromkeys(_combinations(matrix)))
    for number, selector in enumerate(matrix.exclude):
        if any(selector.matches(cell) for cell in cells):
            continue
        with about("matrix", "exclude", number):
            raise ConfigError(
                f"exclude {selector.model_dump(exclude_none=True)} matches no cell of the matrix",
                hint="the cells are " + ", ".join(cell.id for cell in cells),
            )
    left = tuple(cell for cell in cells if not any(selector.matches(cell) for selector in matrix.exclude))
    if not left:
        with about("matrix", "exclude"):
            raise ConfigError("the matrix has no cells left", hint="exclude fewer of them")
    return left


def _check_names(matrix: Matrix) -> None:
    for number, name in enumerate(matrix.instruments):
        with about("matrix", "instruments", number):
            instrument_named(name)
    for number, name in enumerate(matrix.backends):
        with about("matrix", "backends", number):
            backend_named(name)
    for number, name in enumerate(matrix.deliveries):
        if name not in get_args(Delivery):
            with about("matrix", "deliveries", number):
                raise ConfigError(f"unknown delivery {name!r}", hint=nearest(name, get_args(Delivery)))


def _combinations(matrix: Matrix) -> Iterable[Cell]:
    for workflow, instrument_name, concurrency in product(matrix.workflows, matrix.instruments, matrix.concurrency):
        instrument = instrument_named(instrument_name)
        backends = matrix.backends if instrument.writes != "nothing" else (None,)
        deliveries = matrix.deliveries if instrument.writes == "traces" else (None,)
        for backend, delivery in product(backends, deliveries):
            yield Cell(
                workflow=workflow_name(workflow),
                instrument=instrument_name,
                backend=backend,
                delivery=delivery,
                concurrency=concurrency,
            )
