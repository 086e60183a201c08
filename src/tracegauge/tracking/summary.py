"""What happened in a trace: calls, errors, latency, tokens and cost, per node, tool, agent and model.

Computed from spans. The totals that MLflow keeps with a trace are wrong under asynchronous export.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mlflow

from tracegauge.prices import PriceTable
from tracegauge.tracking.langchain_spans import MODEL, NODE, TOKEN_USAGE

TIME_TO_FIRST_TOKEN = "time_to_first_token_ms"
"""Attribute of a span that streams: milliseconds from its start to the first token."""

_MODEL_TYPES = ("CHAT_MODEL", "LLM")


@dataclass(frozen=True)
class Usage:
    """Tokens and cost of model calls."""

    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    """Of the calls that have a price; None where no call has one."""
    calls_without_tokens: int = 0
    """Model calls that did not tell their tokens."""
    calls_without_price: int = 0
    """Model calls that told their tokens, but whose model has no price."""

    def __add__(self, other: "Usage") -> "Usage":
        costs = [one.cost_usd for one in (self, other) if one.model_calls and one.cost_usd is not None]
        calls = self.model_calls + other.model_calls
        return Usage(
            model_calls=calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=sum(costs) if costs or not calls else None,
            calls_without_tokens=self.calls_without_tokens + other.calls_without_tokens,
            calls_without_price=self.calls_without_price + other.calls_without_price,
        )


@dataclass(frozen=True)
class CallSummary:
    """All calls of one node, tool, agent or model in a trace."""

    name: str
    calls: int
    errors: int
    total_ms: float
    """Sum of the calls' durations, which may overlap."""
    max_ms: float
    usage: Usage
    """Of all model calls made below, through other nodes and tools too."""

    @property
    def mean_ms(self) -> float:
        """Mean duration of the calls."""
        return self.total_ms / self.calls


@dataclass(frozen=True)
class TraceSummary:
    """A trace at a glance. Each list is in order of first call."""

    trace_id: str
    state: str
    duration_ms: float
    """Of the root span; of all spans together where the root is in another store."""
    time_to_first_token_ms: float | None
    nodes: tuple[CallSummary, ...]
    tools: tuple[CallSummary, ...]
    agents: tuple[CallSummary, ...]
    """Spans of type AGENT, and nodes that are graphs themselves."""
    models: tuple[CallSummary, ...]
    usage: Usage


def summarize_trace(trace_id: str, tracking_uri: str | None, prices: PriceTable) -> TraceSummary:
    """Summarize a stored trace. Raises ValueError where there is none with this id."""
    try:
        trace = mlflow.MlflowClient(tracking_uri).get_trace(trace_id)
    except mlflow.MlflowException as error:
        raise ValueError(f"there is no trace {trace_id} in {tracking_uri}: {error}") from error
    return summarize_spans(trace_id, str(trace.info.state.value), trace.data.spans, prices)


def summarize_spans(trace_id: str, state: str, spans: Iterable[Any], prices: PriceTable) -> TraceSummary:
    """Summarize the spans of one trace."""
    tree = _Tree(sorted((span for span in spans if span.end_time_ns is not None), key=lambda span: span.start_time_ns))
    models = [span for span in tree.spans if tree.is_model(span)]
    usage_of = {span.span_id: _usage(span, prices) for span in models}
    nodes = [span for span in tree.spans if tree.is_node(span)]
    holds_nodes = {above.span_id for node in nodes for above in tree.above(node)}
    agents = [
        span for span in tree.spans if span.span_type == "AGENT" or (span in nodes and span.span_id in holds_nodes)
    ]

    def summarize(found: list[Any], name: Any) -> tuple[CallSummary, ...]:
        groups: dict[str, list[Any]] = {}
        for span in found:
            groups.setdefault(name(span), []).append(span)
        return tuple(_calls(name, group, tree, usage_of) for name, group in groups.items())

    return TraceSummary(
        trace_id=trace_id,
        state=state,
        duration_ms=tree.duration_ms,
        time_to_first_token_ms=next(
            (value for span in tree.spans if (value := span.get_attribute(TIME_TO_FIRST_TOKEN)) is not None), None
        ),
        nodes=summarize(nodes, lambda span: _node_name(span) or span.name),
        tools=summarize([span for span in tree.spans if span.span_type == "TOOL"], lambda span: span.name),
        agents=summarize(agents, lambda span: _node_name(span) or span.name),
        models=summarize(models, lambda span: _model_name(span) or span.name),
        usage=sum(usage_of.values(), Usage()),
    )


@dataclass
class _Tree:
    spans: list[Any]
    by_id: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {span.span_id: span for span in self.spans}

    @property
    def duration_ms(self) -> float:
        root = next((span for span in self.spans if span.parent_id is None), None)
        if root is not None:
            return _duration_ms(root)
        ends_ns = [span.end_time_ns for span in self.spans]
        return float((max(ends_ns) - self.spans[0].start_time_ns) / 1e6) if self.spans else 0.0

    def above(self, span: Any) -> Iterable[Any]:
        """The spans that a span is in, from the inside out."""
        while span.parent_id is not None and (span := self.by_id.get(span.parent_id)) is not None:
            yield span

    def is_model(self, span: Any) -> bool:
        """Whether it is a model's call. Two tracers may each record one: then the outer span stands for both."""
        return span.span_type in _MODEL_TYPES and not any(above.span_type in _MODEL_TYPES for above in self.above(span))

    def is_node(self, span: Any) -> bool:
        """Whether it is a node's execution, and not a step of the same name inside it."""
        place = _node_place(span)
        return place is not None and not any(_node_place(above) == place for above in self.above(span))


def _calls(name: str, spans: list[Any], tree: _Tree, usage_of: Mapping[str, Usage]) -> CallSummary:
    ids = {span.span_id for span in spans}
    below = (
        usage
        for span_id, usage in usage_of.items()
        if span_id in ids or any(above.span_id in ids for above in tree.above(tree.by_id[span_id]))
    )
    durations_ms = [_duration_ms(span) for span in spans]
    return CallSummary(
        name=name,
        calls=len(spans),
        errors=sum(str(span.status.status_code.value) == "ERROR" for span in spans),
        total_ms=sum(durations_ms),
        max_ms=max(durations_ms),
        usage=sum(below, Usage()),
    )


def _duration_ms(span: Any) -> float:
    return float((span.end_time_ns - span.start_time_ns) / 1e6)


def _node_name(span: Any) -> str | None:
    """The LangGraph node that a span is the execution of: ours say so; autolog's have it among their metadata."""
    own = span.get_attribute(NODE)
    if own:
        return str(own)
    metadata = span.get_attribute("metadata")
    if isinstance(metadata, dict) and span.span_type == "CHAIN" and metadata.get(NODE) == span.name:
        return str(span.name)
    return None


def _node_place(span: Any) -> tuple[str, Any] | None:
    """Which execution of which node it is, as far as the span tells."""
    name = _node_name(span)
    if name is None:
        return None
    metadata = span.get_attribute("metadata")
    place = metadata.get("langgraph_checkpoint_ns") if isinstance(metadata, dict) else span.span_id
    return name, place


def _model_name(span: Any) -> str | None:
    """The model that was called. MLflow 3.9 does not record it by itself, but LangChain's parameters tell."""
    params, metadata = span.get_attribute("invocation_params"), span.get_attribute("metadata")
    params = params if isinstance(params, dict) else {}
    metadata = metadata if isinstance(metadata, dict) else {}
    found = (
        span.get_attribute(MODEL) or metadata.get("ls_model_name") or params.get("model") or params.get("model_name")
    )
    return str(found) if found else None


def _usage(span: Any, prices: PriceTable) -> Usage:
    tokens = span.get_attribute(TOKEN_USAGE)
    if not isinstance(tokens, dict):
        return Usage(model_calls=1, cost_usd=None, calls_without_tokens=1)
    counts = {name: int(tokens.get(name) or 0) for name in ("input_tokens", "output_tokens")}
    cost_usd = prices.cost_usd(
        _model_name(span),
        **counts,
        cache_read_tokens=int(tokens.get("cache_read_input_tokens") or 0),
        cache_write_tokens=int(tokens.get("cache_creation_input_tokens") or 0),
    )
    return Usage(model_calls=1, cost_usd=cost_usd, calls_without_price=int(cost_usd is None), **counts)
