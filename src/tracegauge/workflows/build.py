"""From a workflow file to a compiled LangGraph graph."""

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END as GRAPH_END
from langgraph.graph import START as GRAPH_START
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy, Send

from tracegauge.config.workflow import END, START, Edge, Loop, Node, Parallel, Route, WorkflowFile
from tracegauge.workflows.chat_models import chat_model, merged
from tracegauge.workflows.node import make_node
from tracegauge.workflows.state import state_type

_NAMES = {START: GRAPH_START, END: GRAPH_END}


def build_graph(workflow: WorkflowFile, *, latency_ms: float = 0.0) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Compile the graph. `latency_ms` is the time per call of the scripted model.

    Raises ConfigError for a model or tool that can't be had.
    """
    loops = {edge.from_: edge.loop for edge in workflow.edges if edge.loop}
    parallels = {edge.parallel.target_node: edge.parallel for edge in workflow.edges if edge.parallel}
    state, public = state_type(workflow, [_counter(node) for node in loops])
    graph = StateGraph(state, input_schema=public, output_schema=public)
    attempts = workflow.config.execution.max_retries + 1
    retry = RetryPolicy(max_attempts=attempts, retry_on=Exception) if attempts > 1 else None
    joins = _joins(workflow)
    for node in workflow.nodes:
        run = make_node(node, workflow.state.fields, _model_of(node, workflow, latency_ms))
        if node.id in loops:
            run = _counted(run, _counter(node.id))
        if node.id in parallels:
            run = _collected(run, node.outputs[0], parallels[node.id].collect_field)
        graph.add_node(node.id, run, retry_policy=retry, defer=node.id in joins)
    for edge in workflow.edges:
        _add_edge(graph, edge)
    compiled = graph.compile(name=workflow.flow.name)
    compiled.step_timeout = workflow.config.execution.timeout
    return compiled


NodeFunction = Callable[[dict[str, Any]], dict[str, Any]]


def _model_of(node: Node, workflow: WorkflowFile, latency_ms: float) -> BaseChatModel:
    return chat_model(merged(node.llm, workflow.config.llm), latency_ms=latency_ms)


def _counter(node: str) -> str:
    return f"_runs_of_{node}"


def _counted(run: NodeFunction, counter: str) -> NodeFunction:
    """The node also counts how often it has run, which its loop is bounded by."""

    def counted(state: dict[str, Any]) -> dict[str, Any]:
        return {**run(state), counter: state.get(counter, 0) + 1}

    return counted


def _collected(run: NodeFunction, output: str, collect_field: str) -> NodeFunction:
    """The node runs once per item at the same time: what it gives is collected, not written over."""

    def collected(state: dict[str, Any]) -> dict[str, Any]:
        return {collect_field: [run(state)[output]]}

    return collected


def _add_edge(graph: StateGraph[Any, Any, Any, Any], edge: Edge) -> None:
    source = _NAMES.get(edge.from_, edge.from_)
    if edge.to is not None:
        for target in (edge.to,) if isinstance(edge.to, str) else edge.to:
            graph.add_edge(source, _NAMES.get(target, target))
    elif edge.routes:
        graph.add_conditional_edges(source, _router(edge.routes), [_NAMES.get(route.to, route.to) for route in edge.routes])
    elif edge.loop:
        exit_to = _NAMES.get(edge.loop.exit_to, edge.loop.exit_to)
        graph.add_conditional_edges(source, _looper(edge.from_, edge.loop), [edge.from_, exit_to])
    elif edge.parallel:
        graph.add_conditional_edges(source, _sender(edge.parallel), [edge.parallel.target_node])


def _router(routes: tuple[Route, ...]) -> Callable[[Mapping[str, Any]], str]:
    def route(state: Mapping[str, Any]) -> str:
        taken = next(one for one in routes if one.condition.logic == "default" or one.condition.logic.holds(state))
        return _NAMES.get(taken.to, taken.to)

    return route


def _looper(node: str, loop: Loop) -> Callable[[Mapping[str, Any]], str]:
    exit_to = _NAMES.get(loop.exit_to, loop.exit_to)

    def again_or_exit(state: Mapping[str, Any]) -> str:
        done = state.get(loop.condition_field) or state.get(_counter(node), 0) >= loop.max_iterations
        return exit_to if done else node

    return again_or_exit


def _sender(parallel: Parallel) -> Callable[[Mapping[str, Any]], list[Send]]:
    def send(state: Mapping[str, Any]) -> list[Send]:
        items = state.get(parallel.items_field) or []
        return [Send(parallel.target_node, {**state, "item": item, "index": i}) for i, item in enumerate(items)]

    return send


def _joins(workflow: WorkflowFile) -> set[str]:
    """Nodes in which the branches of a fork meet: they wait until all branches that are under way have ended."""
    if not any(isinstance(edge.to, tuple) for edge in workflow.edges):
        return set()
    sources: dict[str, set[str]] = {}
    for edge in workflow.edges:
        for target in _targets(edge):
            sources.setdefault(target, set()).add(edge.from_)
    return {target for target, from_ in sources.items() if len(from_) > 1 and target != END}


def _targets(edge: Edge) -> list[str]:
    if edge.to is not None:
        return [edge.to] if isinstance(edge.to, str) else list(edge.to)
    if edge.routes:
        return [route.to for route in edge.routes]
    if edge.loop:
        return [edge.from_, edge.loop.exit_to]
    return [edge.parallel.target_node] if edge.parallel else []
