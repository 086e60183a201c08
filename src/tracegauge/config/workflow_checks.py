"""What a workflow file must fulfil beyond its shape: names that exist, values that fit, edges that make a graph."""

from collections import Counter
from collections.abc import Iterator

from tracegauge.config.edge_checks import edge_faults
from tracegauge.config.field_checks import field_faults
from tracegauge.config.node_checks import ITEM_NAMES, node_faults
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import END, START, WorkflowFile
from tracegauge.config.workflow_graph import WorkflowGraph


def workflow_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    """Everything that doesn't hold, with its place."""
    yield from field_faults(workflow.state.fields, ("state", "fields"))
    yield from _name_faults(workflow)
    for number, node in enumerate(workflow.nodes):
        yield from node_faults(node, ("nodes", number), workflow)
    for number, edge in enumerate(workflow.edges):
        yield from edge_faults(edge, ("edges", number), workflow)
    known = {START, END, *(node.id for node in workflow.nodes)}
    if all(name in known for edge in workflow.edges for name in (edge.from_, *edge.targets)):
        yield from _graph_faults(workflow)


def _name_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    for number, node in enumerate(workflow.nodes):
        if node.id in (START, END):
            yield PlacedError(f"a node can't be called {node.id}", "nodes", number, "id", of_key=False)
        elif node.id in (other.id for other in workflow.nodes[:number]):
            yield PlacedError(f"there are two nodes {node.id!r}", "nodes", number, "id", of_key=False)
    if any(edge.parallel for edge in workflow.edges):
        for name in ITEM_NAMES:
            if name in workflow.state.fields:
                message = f"in a workflow with `parallel` no field can be called {name!r}: there it names the item"
                yield PlacedError(message, "state", "fields", name)


def _graph_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    edges = Counter(edge.from_ for edge in workflow.edges)
    if not edges[START]:
        yield PlacedError("no edge leads from START", "edges", hint="add {from: START, to: …}")
    for number, edge in enumerate(workflow.edges):
        if edge.from_ in (other.from_ for other in workflow.edges[:number]):
            message = f"{edge.from_} has an edge already"
            yield PlacedError(message, "edges", number, "from", of_key=False, hint="for a fork write to: [one, other]")
    graph = WorkflowGraph(workflow)
    reachable, ending = graph.reachable, graph.ending
    for number, node in enumerate(workflow.nodes):
        if node.id not in reachable:
            yield PlacedError(f"no way leads from START to {node.id!r}", "nodes", number, "id", of_key=False)
        elif node.id not in ending:
            yield PlacedError(f"no way leads from {node.id!r} to END", "nodes", number, "id", of_key=False)
    outputs = {node.id: (number, node.outputs) for number, node in enumerate(workflow.nodes)}
    for one, other in graph.beside:
        for late in sorted(other & outputs.keys(), key=lambda id_: outputs[id_][0]):
            for early in sorted(one & outputs.keys(), key=lambda id_: outputs[id_][0]):
                for name in set(outputs[early][1]) & set(outputs[late][1]):
                    number, names = outputs[late]
                    message = f"{early!r} and {late!r} run at the same time and both write {name!r}"
                    yield PlacedError(message, "nodes", number, "outputs", names.index(name), of_key=False)
