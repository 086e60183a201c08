"""Spans written by hand: one per invocation, per node, per LLM call and per tool call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from tracegauge.measure.instruments import Attached, Calls, Destination, ExpectedCounts, Instrument
from tracegauge.measure.instruments._tracker import flush_of, tracker_for

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow


class ManualSpans(Instrument):
    """The tracker's own spans, with inputs and outputs; the graph's nodes are wrapped from outside."""

    writes: Literal["traces"] = "traces"
    example = "examples/instrumentation/manual.py"

    @contextmanager
    def attach(self, workflow: "Workflow", destination: Destination | None) -> Iterator[Attached]:
        """Wrap a copy of the workflow's graph."""
        with tracker_for(destination, autolog=False) as tracker:
            graph = tracker.wrap_nodes(workflow.graph)

            def invoke(inputs: Mapping[str, Any]) -> Any:
                with tracker.span(workflow.name, span_type="CHAIN", inputs=inputs) as span:
                    outputs = workflow.invoke_graph(graph, inputs)
                    span.set_outputs(outputs)
                return outputs

            yield Attached(invoke=invoke, flush=flush_of(tracker))

    def expected(self, calls: Calls) -> ExpectedCounts:
        """The root, and a span for each call."""
        spans = 1 + calls.node_calls + calls.llm_calls + calls.tool_calls
        return ExpectedCounts(spans, calls.node_calls, calls.llm_calls, calls.tool_calls)
