"""Checks of edges one by one: names that exist, and what each way of leading on needs."""

from collections.abc import Iterator

from tracegauge.config.errors import nearest
from tracegauge.config.field_checks import path_faults, type_faults
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import END, START, Edge, WorkflowFile
from tracegauge.config.yaml_file import KeyPath


def edge_faults(edge: Edge, path: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    """What is wrong with one edge, which stands at `path`."""
    nodes = [node.id for node in workflow.nodes]
    if edge.from_ not in (START, *nodes):
        yield PlacedError(
            f"there is no node {edge.from_!r}" if edge.from_ != END else "no edge leads from END",
            *path,
            "from",
            of_key=False,
            hint=nearest(edge.from_, (START, *nodes)),
        )
    for target, place in _target_places(edge, path):
        if target not in (*nodes, END):
            message = f"there is no node {target!r}" if target != START else "no edge leads to START"
            yield PlacedError(message, *place, of_key=False, hint=nearest(target, (*nodes, END)))
    if edge.to is not None and len(set(edge.to)) < len(edge.to):
        yield PlacedError("a fork leads to each node once", *path, "to", of_key=False)
    elif edge.to is not None and len(edge.to) > 1 and END in edge.to:
        yield PlacedError("a fork leads to nodes, not to END", *path, "to", edge.to.index(END), of_key=False)
    yield from _route_faults(edge, path, workflow)
    yield from _loop_faults(edge, path, workflow)
    yield from _parallel_faults(edge, path, workflow)


def _target_places(edge: Edge, path: KeyPath) -> Iterator[tuple[str, KeyPath]]:
    if edge.to is not None:
        for number, target in enumerate(edge.to):
            yield target, (*path, "to", number)
    for number, route in enumerate(edge.routes or ()):
        yield route.to, (*path, "routes", number, "to")
    if edge.loop:
        yield edge.loop.exit_to, (*path, "loop", "exit_to")
    if edge.parallel:
        yield edge.parallel.target_node, (*path, "parallel", "target_node")


def _route_faults(edge: Edge, path: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    if not edge.routes:
        return
    defaults = [number for number, route in enumerate(edge.routes) if route.condition.logic.is_default]
    if not defaults:
        hint = "add {condition: {logic: default}, to: …} as the last one"
        yield PlacedError("the routes have no `default`", *path, "routes", hint=hint)
    elif defaults[0] < len(edge.routes) - 1:
        yield PlacedError(
            "no route after `default` is ever taken", *path, "routes", defaults[0] + 1, hint="put it last"
        )
    for number, route in enumerate(edge.routes):
        for names in sorted(route.condition.logic.paths):
            place = (*path, "routes", number, "condition", "logic")
            yield from path_faults(names, workflow.state.fields, place, "condition's field")


def _loop_faults(edge: Edge, path: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    if not edge.loop:
        return
    place = (*path, "loop")
    if edge.from_ == START:
        yield PlacedError("START can't be run again", *place)
    if edge.loop.exit_to == edge.from_:
        yield PlacedError("a loop leads out to another node", *place, "exit_to", of_key=False)
    yield from type_faults(edge.loop.condition_field, "bool", (*place, "condition_field"), workflow)


def _parallel_faults(edge: Edge, path: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    if not edge.parallel:
        return
    place, target, collected = (*path, "parallel"), edge.parallel.target_node, edge.parallel.collect_field
    if target == END:
        yield PlacedError("a node runs once per item, not END", *place, "target_node", of_key=False)
    yield from type_faults(edge.parallel.items_field, "list", (*place, "items_field"), workflow)
    yield from type_faults(collected, "list", (*place, "collect_field"), workflow)
    for number, other in enumerate(workflow.edges):
        if other is not edge and target in other.targets:
            message = f"{target!r} runs once per item: no other edge leads there"
            yield PlacedError(message, "edges", number)
        if other.from_ == target and (other.to is None or target in other.to):
            message = f"{target!r} runs once per item: its own edge has `to`"
            yield PlacedError(message, "edges", number, hint="routes and loops can follow in the next node")
    for number, node in enumerate(workflow.nodes):
        if collected in node.outputs:
            message = f"{collected!r} takes what {target!r} gives for each item: no node writes it"
            yield PlacedError(message, "nodes", number, "outputs", node.outputs.index(collected), of_key=False)
    if edge.parallel.items_field == collected:
        yield PlacedError("the items and what is collected are different fields", *place, "collect_field", of_key=False)
