"""Whether a trace kept its time: the whole, and each kind of step."""

from mlflow.entities import Trace

from tracegauge.judging.extract import root_span

_NS_PER_MS = 1_000_000


def check(trace: Trace, total_ms: float = 10_000, steps_ms: dict[str, float] | None = None) -> tuple[bool, str]:
    """True where the root span took at most `total_ms`, and no span of a type longer than `steps_ms` allows it.

    A trace that ended with an error has not kept its time: there is no answer that came soon enough.
    """
    root = root_span(trace)
    if root is None or root.end_time_ns is None:
        return False, "the trace has no finished root span"
    took_ms = (root.end_time_ns - root.start_time_ns) / _NS_PER_MS
    if trace.info.state == "ERROR":
        return False, f"ended with an error after {took_ms:,.0f} ms"
    if took_ms > total_ms:
        return False, f"{took_ms:,.0f} ms in all, {total_ms:,.0f} ms are allowed"
    for span in trace.data.spans:
        limit_ms = (steps_ms or {}).get(span.span_type)
        if limit_ms is not None and span.end_time_ns is not None:
            step_ms = (span.end_time_ns - span.start_time_ns) / _NS_PER_MS
            if step_ms > limit_ms:
                return False, f"{span.name} took {step_ms:,.0f} ms, {limit_ms:,.0f} ms are allowed for {span.span_type}"
    return True, f"{took_ms:,.0f} of {total_ms:,.0f} ms"
