"""The edges of a workflow file as a graph: what leads where."""

from collections.abc import Collection, Mapping

from tracegauge.config.workflow import END, START, Edge, WorkflowFile


class WorkflowGraph:
    """START, nodes and END by the names that the edges use."""

    def __init__(self, workflow: WorkflowFile) -> None:
        self.edges: dict[str, Edge] = {edge.from_: edge for edge in workflow.edges}
        """For START and each node: the edge that comes from it."""
        self.successors: dict[str, set[str]] = {}
        """For START and each node that an edge comes from: where its edge leads."""
        self.predecessors: dict[str, set[str]] = {}
        """For END and each node that an edge leads to: where its edges come from."""
        for edge in workflow.edges:
            for target in edge.targets:
                self.successors.setdefault(edge.from_, set()).add(target)
                self.predecessors.setdefault(target, set()).add(edge.from_)

    @property
    def reachable(self) -> set[str]:
        """What can be reached from START."""
        return self.from_on(START)

    @property
    def ending(self) -> set[str]:
        """From where END can be reached."""
        return _closure(END, self.predecessors, ())

    def from_on(self, start: str, until: Collection[str] = ()) -> set[str]:
        """What can be reached in any number of steps, the start included, on ways that don't come to `until`."""
        return _closure(start, self.successors, until)


def _closure(start: str, steps: Mapping[str, set[str]], until: Collection[str]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in found and one not in until:
            found.add(one)
            waiting.extend(steps.get(one, ()))
    return found
