"""From a workflow file to a compiled LangGraph graph."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy

from tracegauge.config.errors import ConfigError
from tracegauge.config.forks import Joins, find_joins
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import Edge, LLMConfig, Node, WorkflowFile
from tracegauge.workflows.chat_models import make_chat_model
from tracegauge.workflows.llm_settings import llm_settings
from tracegauge.workflows.node import NodeFunction, make_node
from tracegauge.workflows.routing import collecting, counting, graph_name, loop_again, send_items, take_route
from tracegauge.workflows.state import state_types
from tracegauge.workflows.tools import make_tool

_STEPS_BESIDE_LOOPS = 100
"""How many steps an invocation may take beside one for each node and each iteration of a loop: routes can lead back."""


def build_graph(
    workflow: WorkflowFile, *, latency_ms: float | None = None, model_seed: int | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Compile the graph. `latency_ms` and `model_seed` go before the settings of the scripted model in the file.

    Raises PlacedError for a model or tool that can't be had.
    """
    state, public = state_types(workflow)
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(state, input_schema=public, output_schema=public)
    joins = find_joins(workflow)
    retries = workflow.config.execution.max_retries
    retry = RetryPolicy(max_attempts=retries + 1, retry_on=Exception) if retries else None
    for number, node in enumerate(workflow.nodes):
        llm = llm_settings(node, workflow, latency_ms, model_seed)
        run = _node_function(node, number, llm, workflow)
        graph.add_node(node.id, run, retry_policy=retry, defer=node.id in joins.deferred)
    for edge in workflow.edges:
        _add_edge(graph, edge, workflow, joins)
    for node_id, sets in joins.waits_for.items():
        for before in sets:
            graph.add_edge(sorted(before), node_id)
    compiled = graph.compile(name=workflow.flow.name)
    compiled.step_timeout = workflow.config.execution.timeout
    iterations = sum(edge.loop.max_iterations for edge in workflow.edges if edge.loop)
    return compiled.with_config(recursion_limit=len(workflow.nodes) + iterations + _STEPS_BESIDE_LOOPS)


def _node_function(node: Node, number: int, llm: LLMConfig, workflow: WorkflowFile) -> Any:
    own_llm = node.llm.provider or node.llm.model
    with _placed(*(("nodes", number) if own_llm else ("config",)), "llm", "provider"):
        model = make_chat_model(llm, timeout_s=workflow.config.execution.timeout)
    tools = []
    for place, use in enumerate(node.tools):
        with _placed("nodes", number, "tools", place):
            tools.append(make_tool(use))
    run: NodeFunction = make_node(node, workflow.state.fields, model, tools)
    for edge in workflow.edges:
        if edge.loop and edge.from_ == node.id:
            run = counting(run, node.id, edge.loop)
        if edge.parallel and edge.parallel.target_node == node.id:
            run = collecting(run, node.outputs[0], edge.parallel.collect_field)
    return run


@contextmanager
def _placed(*path: str | int) -> Iterator[None]:
    """Tell of an error where in the file its cause stands."""
    try:
        yield
    except ConfigError as error:
        raise PlacedError(error.message, *path, hint=error.hint, of_key=False) from error


def _add_edge(graph: StateGraph[Any, Any, Any, Any], edge: Edge, workflow: WorkflowFile, joins: Joins) -> None:
    source, targets = graph_name(edge.from_), [graph_name(target) for target in edge.targets]
    if edge.routes:
        graph.add_conditional_edges(source, take_route(edge.routes), targets)
    elif edge.loop:
        graph.add_conditional_edges(source, loop_again(edge.from_, edge.loop), targets)
    elif edge.parallel:
        node = edge.parallel.target_node
        after = [graph_name(target) for other in workflow.edges if other.from_ == node for target in other.targets]
        graph.add_conditional_edges(source, send_items(edge.parallel, after), [*targets, *after])
    else:
        for target in targets:
            if not any(source in before for before in joins.waits_for.get(target, ())):
                graph.add_edge(source, target)
