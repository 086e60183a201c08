"""`mlflow.langchain.autolog()`, turned on by the tracker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from tracegauge.measure.instruments import Attached, Calls, Destination, ExpectedCounts, Instrument
from tracegauge.measure.instruments._tracker import flush_of, tracker_for

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow


class Autolog(Instrument):
    """Three lines of YAML: MLflow traces whatever LangGraph does."""

    writes: Literal["traces"] = "traces"
    example = "examples/instrumentation/autolog.py"

    @contextmanager
    def attach(self, workflow: "Workflow", destination: Destination | None) -> Iterator[Attached]:
        """Turn autolog on."""
        with tracker_for(destination, autolog=True) as tracker, tracker.instrument():
            yield Attached(invoke=workflow.invoke, flush=flush_of(tracker))

    def expected(self, calls: Calls) -> ExpectedCounts:
        """Every node, LLM and tool call. Autolog adds spans for inner steps, whose number differs between versions."""
        return ExpectedCounts(None, calls.node_calls, calls.llm_calls, calls.tool_calls)
