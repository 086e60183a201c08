"""What a workflow file must fulfil beyond its shape: names that exist, values that fit, edges that make a graph."""

from collections.abc import Iterator
from itertools import combinations

from tracegauge.config.edge_checks import edge_faults
from tracegauge.config.field_checks import field_faults
from tracegauge.config.forks import find_forks, fork_faults, run_beside
from tracegauge.config.node_checks import ITEM_NAMES, node_faults
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import END, START, WorkflowFile
from tracegauge.config.workflow_graph import WorkflowGraph

_RESERVED = (START, END, "__start__", "__end__")
"""START and END, and what LangGraph calls them."""


def workflow_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    """Everything that doesn't hold, with its place."""
    yield from field_faults(workflow.state.fields, ("state", "fields"))
    yield from _name_faults(workflow)
    yield from _model_faults(workflow)
    for number, node in enumerate(workflow.nodes):
        yield from node_faults(node, ("nodes", number), workflow)
    of_edges = [*_edge_faults(workflow)]
    yield from of_edges
    if not of_edges:  # else what can be reached would be told of edges that are not meant so
        yield from _graph_faults(workflow)


def _name_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    for number, node in enumerate(workflow.nodes):
        if node.id in _RESERVED:
            yield PlacedError(f"a node can't be called {node.id}", "nodes", number, "id", of_key=False)
        elif node.id in (other.id for other in workflow.nodes[:number]):
            yield PlacedError(f"there are two nodes {node.id!r}", "nodes", number, "id", of_key=False)
    if any(edge.parallel for edge in workflow.edges):
        for name in ITEM_NAMES:
            if name in workflow.state.fields:
                message = f"in a workflow with `parallel` no field can be called {name!r}: there it names the item"
                yield PlacedError(message, "state", "fields", name)


def _model_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    """A real provider needs the name of a model; a node that changes the provider can't take over the workflow's."""
    general = workflow.config.llm
    for number, node in enumerate(workflow.nodes):
        provider = node.llm.provider or general.provider
        model = node.llm.model or (general.model if provider == general.provider else None)
        if provider not in (None, "scripted") and model is None:
            place = ("nodes", number, "llm") if node.llm.provider else ("config", "llm")
            message = f"the provider {provider!r} needs the name of a model"
            yield PlacedError(message, *place, "provider", of_key=False, hint="add `model` beside it")
            if not node.llm.provider:
                return


def _edge_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    for number, edge in enumerate(workflow.edges):
        yield from edge_faults(edge, ("edges", number), workflow)
        if edge.from_ in (other.from_ for other in workflow.edges[:number]):
            message = f"{edge.from_} has an edge already"
            yield PlacedError(message, "edges", number, "from", of_key=False, hint="for a fork write to: [one, other]")
    if not any(edge.from_ == START for edge in workflow.edges):
        yield PlacedError("no edge leads from START", "edges", hint="add {from: START, to: …}")


def _graph_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    graph = WorkflowGraph(workflow)
    reachable, ending = graph.reachable, graph.ending
    loose = False
    for number, node in enumerate(workflow.nodes):
        if node.id not in reachable:
            loose = True
            yield PlacedError(f"no way leads from START to {node.id!r}", "nodes", number, "id", of_key=False)
        elif node.id not in ending:
            loose = True
            yield PlacedError(f"no way leads from {node.id!r} to END", "nodes", number, "id", of_key=False)
    if not loose:
        yield from fork_faults(workflow)
        yield from _write_faults(workflow, graph)


def _write_faults(workflow: WorkflowFile, graph: WorkflowGraph) -> Iterator[PlacedError]:
    forks = find_forks(graph)
    per_item = {edge.parallel.target_node for edge in workflow.edges if edge.parallel}
    nodes = [(number, node) for number, node in enumerate(workflow.nodes) if node.id not in per_item]
    for (_, early), (late, node) in combinations(nodes, 2):
        shared = sorted(set(early.outputs) & set(node.outputs))
        if shared and run_beside(early.id, node.id, forks, graph):
            for name in shared:
                message = f"{early.id!r} and {node.id!r} run at the same time and both write {name!r}"
                yield PlacedError(message, "nodes", late, "outputs", node.outputs.index(name), of_key=False)
