"""What comes after a node: routes, loops, and one execution per item."""

from collections.abc import Callable, Mapping
from typing import Any

from langgraph.graph import END as GRAPH_END
from langgraph.graph import START as GRAPH_START
from langgraph.types import Send

from tracegauge.config.workflow import END, START, Loop, Parallel, Route
from tracegauge.workflows.node import NodeFunction
from tracegauge.workflows.state import loop_counter

State = Mapping[str, Any]


def graph_name(name: str) -> str:
    """LangGraph's name for a node, START or END of a workflow file."""
    return {START: GRAPH_START, END: GRAPH_END}.get(name, name)


def take_route(routes: tuple[Route, ...]) -> Callable[[State], str]:
    """The first route whose condition holds; the default one always does."""

    def route(state: State) -> str:
        return graph_name(next(one.to for one in routes if one.condition.logic.holds(state)))

    return route


def counting(run: NodeFunction, node: str, loop: Loop) -> NodeFunction:
    """The node also counts its executions; the count goes back to 0 with the one that ends the loop."""
    counter = loop_counter(node)

    def counted(state: State) -> dict[str, Any]:
        changes = run(state)
        count = (state.get(counter) or 0) + 1
        done = {**state, **changes}.get(loop.condition_field) or count >= loop.max_iterations
        return {**changes, counter: 0 if done else count}

    return counted


def loop_again(node: str, loop: Loop) -> Callable[[State], str]:
    """Back to the node until its count is 0 again."""
    counter, exit_to = loop_counter(node), graph_name(loop.exit_to)

    def repeat_or_exit(state: State) -> str:
        return node if state[counter] else exit_to

    return repeat_or_exit


def collecting(run: NodeFunction, output: str, collect_field: str) -> NodeFunction:
    """The node runs once per item at the same time: what it gives is collected, not written over."""

    def collected(state: State) -> dict[str, Any]:
        return {collect_field: [run(state)[output]]}

    return collected


def send_items(parallel: Parallel, after: list[str]) -> Callable[[State], list[Send] | list[str]]:
    """One execution of the target node per item, each with the whole state; without items, what comes after it."""

    def each_item(state: State) -> list[Send] | list[str]:
        items = state.get(parallel.items_field) or []
        sends = [Send(parallel.target_node, {**state, "item": item, "index": i}) for i, item in enumerate(items)]
        return sends or after

    return each_item
