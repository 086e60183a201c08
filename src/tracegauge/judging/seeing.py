"""From traces to what a judge with variables sees, and whether that is enough and not too much."""

from collections.abc import Collection, Sequence

from mlflow.entities import Trace

from tracegauge.config.judge_fields import Extract
from tracegauge.judging.content import Content
from tracegauge.judging.extract import expectations_text, inputs_text, outputs_text
from tracegauge.judging.trace_text import trace_text
from tracegauge.results.judgement import Failed, FailureKind

_LACKS = {
    "inputs": "the trace has no inputs",
    "outputs": "the trace has no outputs",
    "expectations": "the trace has no expectations",
    "trace": "the trace has no spans of the wanted types",
    "conversation": "no trace of the session has both inputs and outputs",
}


def see(traces: Sequence[Trace], variables: Collection[str], extract: Extract) -> Content:
    """The texts for these variables: of the last trace, or of all of them for `conversation`."""
    trace = traces[-1]
    return Content(
        inputs=inputs_text(trace, extract.inputs) if "inputs" in variables else None,
        outputs=outputs_text(trace, extract.outputs) if "outputs" in variables else None,
        expectations=expectations_text(trace) if "expectations" in variables else None,
        trace=trace_text(trace, extract.span_types, extract.max_chars) if "trace" in variables else None,
        conversation=_conversation(traces, extract) if "conversation" in variables else None,
        traces=tuple(traces),
    )


def not_judgeable(content: Content, variables: Collection[str], max_chars: int) -> Failed | None:
    """Why this content can't be judged; None if it can."""
    texts = content.texts
    for name in variables:
        if name not in texts:
            kind: FailureKind = "no_expectations" if name == "expectations" else "no_content"
            return Failed(kind=kind, message=_LACKS[name])
    if content.chars > max_chars:
        message = f"{content.chars:,} characters are more than the judge's extract.max_chars of {max_chars:,}"
        return Failed(kind="too_large", message=message)
    return None


def _conversation(traces: Sequence[Trace], extract: Extract) -> str | None:
    turns: list[str] = []
    for trace in traces:
        asked, answered = inputs_text(trace, extract.inputs), outputs_text(trace, extract.outputs)
        if asked is not None:
            turns.append(f"user: {asked}")
        if answered is not None:
            turns.append(f"assistant: {answered}")
    said_by_both = {turn.partition(":")[0] for turn in turns} == {"user", "assistant"}
    return "\n\n".join(turns) if said_by_both else None
