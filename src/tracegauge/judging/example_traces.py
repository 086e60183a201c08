"""From an example of a calibration set to MLflow traces, as if it had been recorded; nothing is stored."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from mlflow.entities import (
    AssessmentSource,
    Expectation,
    Span,
    Trace,
    TraceData,
    TraceInfo,
    TraceLocation,
    TraceState,
)

from tracegauge.judging.examples import Example, ExampleSpan

_START_NS = 1_767_225_600_000_000_000  # 2026-01-01: the same every time, so that contents have the same digest
_TURN_NS = 60_000_000_000
_NS_PER_MS = 1_000_000
_SESSION = "mlflow.trace.session"


def traces_of(example: Example) -> tuple[Trace, ...]:
    """The trace of an example; for a conversation, one for each turn, in a session."""
    if not example.turns:
        return (_trace(example, example.item, _START_NS, example.inputs, example.outputs, example.spans),)
    return tuple(
        _trace(example, f"{example.item}/{number}", _START_NS + number * _TURN_NS, turn.inputs, turn.outputs)
        for number, turn in enumerate(example.turns)
    )


def _trace(
    example: Example, key: str, start_ns: int, inputs: Any, outputs: Any, steps: Sequence[ExampleSpan] = ()
) -> Trace:
    trace_id = f"tr-{_hex(key, 16)}"
    step_ns = [round(step.duration_ms * _NS_PER_MS) for step in steps]
    total_ns = sum(step_ns) or _NS_PER_MS
    if example.duration_ms is not None:
        total_ns = round(example.duration_ms * _NS_PER_MS)
    spans = [_span(trace_id, None, "example", "AGENT", start_ns, total_ns, inputs, outputs, example.error)]
    at_ns = start_ns
    for step, length_ns in zip(steps, step_ns, strict=True):
        spans.append(
            _span(trace_id, spans[0], step.name, step.type, at_ns, length_ns, step.inputs, step.outputs, step.error)
        )
        at_ns += length_ns
    info = TraceInfo(
        trace_id=trace_id,
        trace_location=TraceLocation.from_experiment_id("0"),
        request_time=start_ns // _NS_PER_MS,
        state=TraceState.ERROR if example.error else TraceState.OK,
        request_preview=json.dumps(inputs, ensure_ascii=False),
        response_preview=json.dumps(outputs, ensure_ascii=False),
        execution_duration=total_ns // _NS_PER_MS,
        trace_metadata={_SESSION: example.item} if example.turns else {},
        tags={"mlflow.traceName": "example"},
        assessments=[
            Expectation(
                name=name,
                value=value,
                source=AssessmentSource("HUMAN", "example"),
                trace_id=trace_id,
                create_time_ms=start_ns // _NS_PER_MS,
                last_update_time_ms=start_ns // _NS_PER_MS,
            )
            for name, value in example.expectations.items()
        ],
    )
    return Trace(info=info, data=TraceData(spans=spans))


def _span(
    trace_id: str,
    parent: Span | None,
    name: str,
    type_: str,
    start_ns: int,
    length_ns: int,
    inputs: Any,
    outputs: Any,
    error: str | None,
) -> Span:
    attributes = {
        "mlflow.traceRequestId": trace_id,
        "mlflow.spanType": type_,
        "mlflow.spanInputs": inputs,
        "mlflow.spanOutputs": outputs,
    }
    return Span.from_dict(
        {
            "trace_id": trace_id,
            "span_id": _hex(f"{trace_id} {name} {start_ns} {parent is None}", 8),
            "parent_span_id": parent.span_id if parent else None,
            "name": name,
            "start_time_unix_nano": start_ns,
            "end_time_unix_nano": start_ns + length_ns,
            "events": [],
            "status": {"code": "STATUS_CODE_ERROR" if error else "STATUS_CODE_OK", "message": error or ""},
            "attributes": {
                key: json.dumps(value, ensure_ascii=False) for key, value in attributes.items() if value is not None
            },
        }
    )


def _hex(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
