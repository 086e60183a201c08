"""Nested runs, the 2.9 way: what upgrades are compared with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from tracegauge.measure.instruments import Attached, Calls, Destination, ExpectedCounts, Instrument

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow


class LegacyRuns(Instrument):
    """MLflow's fluent API around the workflow and around each node."""

    writes: Literal["runs"] = "runs"
    example = "examples/instrumentation/legacy.py"

    @contextmanager
    def attach(self, workflow: "Workflow", destination: Destination | None) -> Iterator[Attached]:
        """Set MLflow's global tracking URI and experiment, as 2.9-era code did, and wrap a copy of the graph."""
        import mlflow

        from tracegauge.measure.instruments.legacy_nodes import active_tracker, with_node_runs
        from tracegauge.measure.instruments.legacy_tracker import LegacyTracker

        if destination is None:
            raise ValueError("legacy_runs needs a destination")
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(destination.tracking_uri)
        mlflow.set_experiment(destination.experiment_name)
        graph = with_node_runs(workflow.graph)

        def invoke(inputs: Mapping[str, Any]) -> Any:
            tracker = LegacyTracker(workflow.name)
            token = active_tracker.set(tracker)
            try:
                with tracker.track_workflow(inputs):
                    outputs = workflow.invoke_graph(graph, inputs)
                    tracker.finalize_workflow(outputs)
            finally:
                active_tracker.reset(token)
            return outputs

        try:
            yield Attached(invoke=invoke, flush=lambda: None)  # the fluent API has written everything when it returns
        finally:
            mlflow.set_tracking_uri(before)

    def expected(self, calls: Calls) -> ExpectedCounts:
        """A run for the workflow and one for each node call."""
        return ExpectedCounts(spans=1 + calls.node_calls, node_spans=calls.node_calls, llm_spans=0, tool_spans=0)
