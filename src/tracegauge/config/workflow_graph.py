"""The edges of a workflow file as a graph: what leads where, and what runs at the same time."""

from collections.abc import Mapping

from tracegauge.config.workflow import END, START, WorkflowFile


class WorkflowGraph:
    """Nodes and END by the names that the edges use."""

    def __init__(self, workflow: WorkflowFile) -> None:
        self.successors: dict[str, set[str]] = {}
        """For START and each node that an edge comes from: where its edges lead."""
        self.predecessors: dict[str, set[str]] = {}
        """For END and each node that an edge leads to: where its edges come from."""
        for edge in workflow.edges:
            for target in edge.targets:
                self.successors.setdefault(edge.from_, set()).add(target)
                self.predecessors.setdefault(target, set()).add(edge.from_)
        self._forks = [
            [_closure(target, self.successors, until=edge.from_) for target in edge.to]
            for edge in workflow.edges
            if edge.to is not None and len(edge.to) > 1
        ]
        """Of each fork its branches: what can run from its targets on, until the fork itself runs again."""

    @property
    def reachable(self) -> set[str]:
        """What can be reached from START."""
        return _closure(START, self.successors)

    @property
    def ending(self) -> set[str]:
        """From where END can be reached."""
        return _closure(END, self.predecessors)

    @property
    def joins(self) -> set[str]:
        """Nodes in which branches of a fork meet: what leads there runs in different branches."""
        found = set()
        for branches in self._forks:
            for node, sources in self.predecessors.items():
                in_branches = {frozenset(i for i, branch in enumerate(branches) if one in branch) for one in sources}
                if node != END and len(in_branches - {frozenset()}) > 1:
                    found.add(node)
        return found

    def run_beside(self, one: str, other: str) -> bool:
        """Whether the nodes run in different branches of a fork, and only there."""
        for branches in self._forks:
            of_one, of_other = ({i for i, branch in enumerate(branches) if node in branch} for node in (one, other))
            if len(of_one) == len(of_other) == 1 and of_one != of_other:
                return True
        return False


def _closure(start: str, steps: Mapping[str, set[str]], until: str | None = None) -> set[str]:
    """What can be reached in any number of steps, the start included, on ways that don't go through `until`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in found and one != until:
            found.add(one)
            waiting.extend(steps.get(one, ()))
    return found
