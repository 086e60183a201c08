"""Loading a workflow by what a user calls it."""

from pathlib import Path

from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_workflow_file
from tracegauge.config.shipped import find_file
from tracegauge.workflows.build import build_graph
from tracegauge.workflows.inputs import BESIDE, graph_inputs, read_inputs, sample_input, state_inputs
from tracegauge.workflows.own_graph import load_graph
from tracegauge.workflows.workflow import Workflow


def load_workflow(
    reference: str, *, name: str | None = None, inputs: str | None = None, latency_ms: float | None = None
) -> Workflow:
    """The workflow of a workflow file, `langgraph.json[#graph]`, `package.module:attribute` or `file.py:attribute`.

    `inputs` is a JSON or YAML file with one input or a list of them; without it, a `langgraph.json` uses an
    `inputs.yaml` beside it, and a workflow file gets made-up values for its required fields. `latency_ms` is the time
    per call of a workflow file's scripted model.

    Raises ConfigError for whatever can't be read, imported, or used.
    """
    if reference.endswith((".yaml", ".yml")):
        return _from_file(find_file(reference), name, inputs, latency_ms)
    if latency_ms is not None:
        raise ConfigError(f"latency_ms is for workflow files; {reference} has a model of its own")
    return _own(reference, name, inputs)


def _from_file(path: Path, name: str | None, inputs: str | None, latency_ms: float | None) -> Workflow:
    file = load_workflow_file(path)
    given = read_inputs(inputs) if inputs else [sample_input(file.state)]
    return Workflow(
        name=name or path.stem,
        graph=build_graph(file, latency_ms=latency_ms or 0.0),
        inputs=state_inputs(file.state, given, inputs or str(path)),
        observability=file.observability,
        file=file,
    )


def _own(reference: str, name: str | None, inputs: str | None) -> Workflow:
    path, hash_, graph_name = reference.partition("#")
    if path.endswith(".json"):
        path = str(find_file(path))
        reference = f"{path}{hash_}{graph_name}"
        inputs = inputs or _beside(Path(path))
    graph = load_graph(reference)
    return Workflow(
        name=name or graph_name or graph.get_name(),
        graph=graph,
        inputs=graph_inputs(graph, read_inputs(inputs) if inputs else None, inputs or reference),
    )


def _beside(path: Path) -> str | None:
    return next((str(path.with_name(file)) for file in BESIDE if path.with_name(file).is_file()), None)
