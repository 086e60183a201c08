"""How many of the tools that a trace called failed."""

from mlflow.entities import Trace


def rate(trace: Trace) -> tuple[float, str]:
    """Share of the TOOL spans that ended with an error; 0 where no tool was called."""
    tools = [span for span in trace.data.spans if span.span_type == "TOOL"]
    failed = [span for span in tools if getattr(span.status.status_code, "value", span.status.status_code) == "ERROR"]
    return len(failed) / len(tools) if tools else 0.0, f"{len(failed)} of {len(tools)} tool calls failed"
