"""Loading a workflow by what a user calls it."""

from pathlib import Path

from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_workflow_file
from tracegauge.config.shipped import find_file
from tracegauge.config.validation import PlacedError
from tracegauge.config.yaml_file import load_yaml
from tracegauge.workflows.build import build_graph
from tracegauge.workflows.inputs import (
    BESIDE,
    graph_inputs,
    read_inputs,
    sample_graph_input,
    sample_input,
    state_inputs,
)
from tracegauge.workflows.langgraph_json import only_graph
from tracegauge.workflows.own_graph import load_graph
from tracegauge.workflows.workflow import Workflow


def load_workflow(
    reference: str,
    *,
    name: str | None = None,
    inputs: str | None = None,
    latency_ms: float | None = None,
    model_seed: int | None = None,
    sample: bool = True,
) -> Workflow:
    """The workflow of a workflow file, `langgraph.json[#graph]`, `package.module:attribute` or `file.py:attribute`.

    `inputs` is a JSON or YAML file with one input or a list of them; without it, a `langgraph.json` uses an
    `inputs.yaml` beside it, a workflow file gets made-up values for its required fields, and a graph that takes
    messages gets a question; any other graph is refused, or with `sample=False` gets an empty input. `latency_ms` (per
    call) and `model_seed` are for the scripted model of workflow files.

    Raises ConfigError for whatever can't be read, imported, or used.
    """
    if reference.endswith((".yaml", ".yml")):
        return _from_file(find_file(reference), name, inputs, latency_ms, model_seed)
    if latency_ms is not None or model_seed is not None:
        raise ConfigError(
            f"{reference} has a model of its own", hint="latency_ms and model_seed are for the models of workflow files"
        )
    return _own(reference, name, inputs, sample=sample)


def _from_file(
    path: Path, name: str | None, inputs: str | None, latency_ms: float | None, model_seed: int | None
) -> Workflow:
    document = load_yaml(path)
    file = load_workflow_file(document)
    try:
        graph = build_graph(file, latency_ms=latency_ms, model_seed=model_seed)
    except PlacedError as error:
        raise error.located(document) from error
    given, source = read_inputs(inputs) if inputs else ([sample_input(file.state)], document.file)
    return Workflow(
        name=name or path.stem,
        graph=graph,
        inputs=state_inputs(file.state, given, source),
        observability=file.observability,
        file=file,
    )


def _own(reference: str, name: str | None, inputs: str | None, *, sample: bool) -> Workflow:
    path, _, graph_name = reference.partition("#")
    if path.endswith(".json"):
        path = str(find_file(path))
        graph_name = graph_name or only_graph(Path(path))
        reference = f"{path}#{graph_name}"
        inputs = inputs or inputs_beside(Path(path))
    graph = load_graph(reference)
    return Workflow(
        name=name or graph_name or reference.rpartition(":")[2],
        graph=graph,
        inputs=graph_inputs(graph, *read_inputs(inputs))
        if inputs
        else (sample_graph_input(graph, reference) if sample else {},),
    )


def inputs_beside(path: Path) -> str | None:
    """The file of inputs beside a `langgraph.json`, if there is one."""
    return next((str(path.with_name(file)) for file in BESIDE if path.with_name(file).is_file()), None)
