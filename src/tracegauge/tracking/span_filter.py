"""What spans may carry away: applied to every span when it ends, whoever made it, autolog included."""

from collections.abc import Callable, Mapping
from typing import Any

from tracegauge.tracking.compat import span_content
from tracegauge.tracking.compat.traces_under_way import trace_under_way
from tracegauge.tracking.redaction import REPLACEMENT, Redactor

_MODEL_SPANS = ("LLM", "CHAT_MODEL")
_TELLS_OF_PROMPTS = ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.messages", "new_token")
"""Attributes and events of model calls that hold prompts and responses."""
_STRUCTURE = frozenset(
    {
        "mlflow.artifactLocation",
        "mlflow.chat.tokenUsage",
        "mlflow.experimentId",
        "mlflow.llm.cost",
        "mlflow.message.format",
        "mlflow.modelId",
        "mlflow.sourceRun",
        "mlflow.spanLogLevel",
        "mlflow.spanStartTimeNs",
        "mlflow.spanType",
        "mlflow.trace.cost",
        "mlflow.trace.infoFinalized",
        "mlflow.trace.sizeBytes",
        "mlflow.trace.sizeStats",
        "mlflow.trace.spansLocation",
        "mlflow.trace.tokenUsage",
        "mlflow.traceRequestId",
        "mlflow.trace_schema.version",
    }
)
"""What MLflow itself puts there and reads back: ids, kinds and counts, which a pattern for numbers must not break."""


def span_filter(redactor: Redactor, *, log_prompts: bool) -> Callable[[Any], None] | None:
    """What is to be done with each span that ends, or None where nothing is to be filtered.

    A span that can't be filtered is emptied; then what went wrong is raised.
    """
    if log_prompts and not redactor:
        return None

    def filter_span(span: Any) -> None:
        try:
            if not log_prompts and span.span_type in _MODEL_SPANS:
                _drop_prompts(span)
            if redactor:
                _redact(span, redactor)
                if span.parent_id is None:
                    _redact_trace(span, redactor)
        except Exception:
            _empty(span)
            raise

    return filter_span


def _drop_prompts(span: Any) -> None:
    for key in span_content.raw_attributes(span):
        if key in _TELLS_OF_PROMPTS:
            span_content.replace_raw_attribute(span, key, None, None)
    span_content.rewrite_events(span, lambda name, old: None if name in _TELLS_OF_PROMPTS else (name, dict(old)))


def _redact(span: Any, redactor: Redactor) -> None:
    for key, value in span_content.raw_attributes(span).items():
        if key in _STRUCTURE:
            continue
        new_key = redactor.key(key)
        new_value = redactor.json(value) if isinstance(value, str) else redactor.value(value)
        if (new_key, new_value) != (key, value):
            span_content.replace_raw_attribute(span, key, new_key, new_value)

    def rewrite(name: str, attributes: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        return redactor.text(name), redactor.value(dict(attributes))

    span_content.rewrite_events(span, rewrite)
    span_content.rewrite_links(span, redactor.value)
    span_content.rewrite_status(span, redactor.text)
    if span.name:  # autolog has none for some lambdas
        span_content.rename(span, redactor.text(span.name))
    span_content.rewrite_attachments(span, redactor.content)


def _redact_trace(root: Any, redactor: Redactor) -> None:
    """What belongs to the trace as a whole, and spans that are still open: MLflow before 3.12 stores those with it."""
    with trace_under_way(root.trace_id) as trace:
        if trace is None:
            return
        for span in list(trace.span_dict.values()):
            if span.end_time_ns is None and span is not root:
                _redact(span, redactor)
        info = trace.info
        for texts in (info.tags, info.trace_metadata):
            redacted = {
                redactor.key(key): redactor.json(value) for key, value in texts.items() if key not in _STRUCTURE
            }
            kept = {key: value for key, value in texts.items() if key in _STRUCTURE}
            texts.clear()
            texts.update(kept | redacted)
        for name in ("request_preview", "response_preview", "client_request_id"):
            if isinstance(value := getattr(info, name, None), str):
                setattr(info, name, redactor.json(value))


def _empty(span: Any) -> None:
    """Take everything out of a span that could not be filtered."""
    for key in span_content.raw_attributes(span):
        if key not in _STRUCTURE:
            span_content.replace_raw_attribute(span, key, None, None)
    span_content.rewrite_events(span, lambda *_: None)
    span_content.rewrite_status(span, lambda _: REPLACEMENT)
    span_content.rewrite_attachments(span, lambda _: b"")
