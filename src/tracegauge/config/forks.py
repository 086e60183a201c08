"""Forks: nodes that run at the same time, and where their branches meet again.

LangGraph runs a node as soon as one of the nodes before it is done. The node in which branches meet has to run once,
after all of them, and there are two ways to tell LangGraph so: an edge from several nodes waits for every one of them,
but each must surely run; a deferred node waits until nothing else is under way, but not for the items of a `parallel`
edge, and of two such nodes at once neither waits for the other. A fork that neither way serves is a fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import END, WorkflowFile
from tracegauge.config.workflow_graph import WorkflowGraph


@dataclass(frozen=True)
class Fork:
    """An edge to several nodes."""

    source: str
    targets: tuple[str, ...]
    join: str
    """The first node (or END) that every way from every target comes to."""
    branches: tuple[frozenset[str], ...]
    """For each target: what can run from it on, before the join and before the fork itself runs again."""

    @property
    def region(self) -> frozenset[str]:
        """The nodes of all branches."""
        return frozenset().union(*self.branches)


@dataclass(frozen=True)
class Joins:
    """How the nodes in which branches meet wait for them."""

    waits_for: dict[str, list[frozenset[str]]]
    """Nodes that run when all nodes of a set have run; sets are of forks of which only one is gone through."""
    deferred: frozenset[str]
    """Nodes that run when nothing else is under way."""


def find_forks(graph: WorkflowGraph) -> list[Fork]:
    """The forks of a graph whose every node can reach END."""
    forks = []
    for source, edge in graph.edges.items():
        if edge.to is not None and len(edge.to) > 1:
            join = _join(edge.to, graph)
            branches = tuple(frozenset(graph.from_on(target, until=(join, source))) for target in edge.to)
            forks.append(Fork(source, edge.to, join, branches))
    return forks


def find_joins(workflow: WorkflowFile) -> Joins:
    """How branches are waited for, in a workflow without faults."""
    graph = WorkflowGraph(workflow)
    forks = find_forks(graph)
    waits_for: dict[str, list[frozenset[str]]] = {}
    deferred = set()
    for fork in forks:
        if _is_plain(fork, graph):
            for node in sorted((fork.region | {fork.join}) - {END}):
                before = frozenset(graph.predecessors[node] & fork.region)
                if len(before) > 1:
                    waits_for.setdefault(node, []).append(before)
        elif fork.join != END:
            last = [_last_node(branch, fork, graph) for branch in fork.branches]
            if None in last:
                deferred.add(fork.join)
            else:
                waits_for.setdefault(fork.join, []).append(frozenset(node for node in last if node))
    for node, sets in waits_for.items():  # a fork inside a branch of another knows only a part of what the other knows
        waits_for[node] = [one for one in dict.fromkeys(sets) if not any(one < other for other in sets)]
    return Joins(waits_for, frozenset(deferred))


def fork_faults(workflow: WorkflowFile) -> Iterator[PlacedError]:
    """Forks whose branches can't be waited for, each with the place of its edge."""
    graph = WorkflowGraph(workflow)
    forks = find_forks(graph)
    places = {edge.from_: number for number, edge in enumerate(workflow.edges)}
    for fork in forks:
        for message, hint in list(_faults(fork, forks, graph))[:1]:
            yield PlacedError(message, "edges", places[fork.source], "to", of_key=False, hint=hint)


def run_beside(one: str, other: str, forks: list[Fork], graph: WorkflowGraph) -> bool:
    """Whether the nodes run in different branches of a fork, and neither after the other."""
    for fork in forks:
        until = (fork.join, fork.source)
        in_both = any(one in a and other in b for a in fork.branches for b in fork.branches if a is not b)
        if in_both and other not in graph.from_on(one, until) and one not in graph.from_on(other, until):
            return True
    return False


def _join(targets: tuple[str, ...], graph: WorkflowGraph) -> str:
    def always_comes(node: str) -> bool:
        return all(END not in graph.from_on(target, until=(node,)) for target in targets)

    candidates = {node for node in graph.predecessors if always_comes(node)}

    def comes_first(node: str) -> bool:
        return all(candidates.isdisjoint(graph.from_on(target, until=(node,))) for target in targets)

    return next(node for node in candidates if comes_first(node))


def _faults(fork: Fork, forks: list[Fork], graph: WorkflowGraph) -> Iterator[tuple[str, str]]:
    for target, branch in zip(fork.targets, fork.branches, strict=True):
        if target == fork.join or any(target in other for other in fork.branches if other is not branch):
            message = f"{target!r} can't run at the same time as what leads to it"
            yield message, "leave it out of the list"
            return
    if _is_plain(fork, graph):
        return
    for (one, a), (other, b) in combinations(zip(fork.targets, fork.branches, strict=True), 2):
        for node in sorted(a & b):
            message = f"the branches {one!r} and {other!r} can both come to {node!r}, before all meet in {fork.join!r}"
            yield message, "only plain edges (`to`) can join some branches of a fork before the others"
    if fork.join == END:
        return
    for target, branch in zip(fork.targets, fork.branches, strict=True):
        message = f"the branch {target!r} can come back to {fork.source!r} before it meets the others in {fork.join!r}"
        if any(fork.source in graph.successors[node] for node in branch):
            yield message, "lead back from the node in which the branches meet"
        outside = {one for node in branch for one in graph.predecessors[node]} - branch - {fork.source}
        if outside:
            message = f"{min(outside)!r} leads into the branch {target!r}, but {fork.join!r} waits for all branches"
            yield message, "lead to where the fork comes from"
        if _last_node(branch, fork, graph) is None and not _can_be_deferred(fork, forks, graph):
            message = (
                f"{fork.join!r} can't wait for the branch {target!r}, which does not end in one node that always runs"
            )
            yield message, f"let the branch end in one node with to: {fork.join}"


def _is_plain(fork: Fork, graph: WorkflowGraph) -> bool:
    """Whether every node of the branches surely runs once: only plain edges, no way back, no way in from elsewhere."""
    inside = fork.region | {fork.source}
    return all(
        graph.edges[node].to is not None
        and fork.source not in graph.successors[node]
        and graph.predecessors[node] <= inside
        and not any(node in graph.from_on(after, until=(fork.join,)) for after in graph.successors[node])
        for node in fork.region
    )


def _last_node(branch: frozenset[str], fork: Fork, graph: WorkflowGraph) -> str | None:
    """The node in which every way through the branch ends, with a plain edge to the join; None if there is none.

    A node that runs once per item is none: without items it does not run.
    """
    last = [node for node in branch if fork.join in graph.successors[node]]
    if len(last) != 1 or graph.edges[last[0]].to != (fork.join,):
        return None
    return None if any(graph.edges[node].parallel for node in graph.predecessors[last[0]]) else last[0]


def _can_be_deferred(fork: Fork, forks: list[Fork], graph: WorkflowGraph) -> bool:
    alone = all(
        other is fork or (fork.source not in other.region and other.source not in fork.region) for other in forks
    )
    return alone and not any(graph.edges[node].parallel for node in fork.region)
