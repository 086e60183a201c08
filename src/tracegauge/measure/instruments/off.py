"""No tracing at all: what everything else is compared with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from tracegauge.measure.instruments import Attached, Calls, Destination, ExpectedCounts, Instrument

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow


class Off(Instrument):
    """The workflow as it is."""

    writes: Literal["nothing"] = "nothing"

    @contextmanager
    def attach(self, workflow: "Workflow", destination: Destination | None) -> Iterator[Attached]:  # noqa: ARG002
        """Nothing is attached."""
        yield Attached(invoke=workflow.invoke, flush=lambda: None)

    def expected(self, calls: Calls) -> ExpectedCounts:  # noqa: ARG002
        """Nothing."""
        return ExpectedCounts(spans=0, node_spans=0, llm_spans=0, tool_spans=0)
