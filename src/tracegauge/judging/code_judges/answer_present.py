"""Whether a trace ended with an answer."""

from mlflow.entities import Trace

from tracegauge.judging.extract import outputs_text


def check(trace: Trace, minimum_chars: int = 1) -> tuple[bool, str]:
    """True where the trace ended well and its answer has at least `minimum_chars` characters besides blanks."""
    if trace.info.state == "ERROR":
        return False, "the trace ended with an error"
    chars = len("".join((outputs_text(trace) or "").split()))
    return chars >= minimum_chars, f"{chars} characters"
