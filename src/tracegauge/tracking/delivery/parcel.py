"""What is delivered in one piece: a finished trace, or spans of a trace that has its root elsewhere."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlflow.entities import Assessment, Span, Trace, TraceInfo, TraceLocation, TraceState
from mlflow.tracing.utils import TraceJSONEncoder

from tracegauge.tracking.compat.span_content import attachments, raw_attributes, resource_attributes, restore_span
from tracegauge.tracking.storable import storable_text

SPAN_OVERHEAD_BYTES = 4_000
"""Memory that a span takes beside its attributes' text (measured: MLflow's and OpenTelemetry's objects around it)."""


@dataclass(frozen=True)
class Parcel:
    """Spans of one trace and, for a whole trace, what is recorded about it."""

    trace_id: str
    experiment_id: str
    spans: tuple[Span, ...]
    info: TraceInfo | None = None
    """None: the spans' root is in another process, or was delivered before them."""
    prompts: tuple[tuple[str, int], ...] = ()
    """Name and version of the registered prompts that the trace used."""
    workspace: str | None = None
    """MLflow workspace that was active when the trace began."""

    @classmethod
    def of_trace(cls, trace: Trace, prompts: Sequence[Any] = (), workspace: str | None = None) -> "Parcel":
        """A trace that MLflow has ended. Spans that have not are left out: they follow when they end."""
        return cls(
            trace_id=trace.info.trace_id,
            experiment_id=trace.info.experiment_id,
            spans=tuple(span for span in trace.data.spans if span.end_time_ns is not None),
            info=trace.info,
            prompts=tuple((prompt.name, prompt.version) for prompt in prompts),
            workspace=workspace,
        )

    @property
    def size_bytes(self) -> int:
        """About how much memory the parcel takes."""
        return sum(SPAN_OVERHEAD_BYTES + 2 * _text_length(span) for span in self.spans)

    def readdressed(self, experiment_id: str) -> "Parcel":
        """The same parcel for another experiment, as in another store."""
        info = self.info and replace(self.info, trace_location=TraceLocation.from_experiment_id(experiment_id))
        return replace(self, experiment_id=experiment_id, info=info)

    def to_json(self) -> str:
        """One line of JSON from which `from_json` makes a parcel that is stored exactly as this one is."""
        return json.dumps(
            {
                "trace_id": self.trace_id,
                "experiment_id": self.experiment_id,
                "spans": [span.to_dict() for span in self.spans],
                "info": self.info and _info_to_dict(self.info),
                "prompts": self.prompts,
                "workspace": self.workspace,
                # Spans of one process share one OpenTelemetry resource, and `Span.to_dict` leaves it out.
                "resource": resource_attributes(self.spans[0]) if self.spans else {},
                "attachments": [_attachments_to_dict(span) for span in self.spans],
            },
            cls=TraceJSONEncoder,
        )

    def storable(self) -> "Parcel | None":
        """The same parcel without characters that databases refuse; None where there are none in it."""
        data = json.loads(self.to_json())
        cleaned = _storable(data)
        return None if cleaned == data else Parcel.from_json(json.dumps(cleaned))

    @classmethod
    def from_json(cls, text: str) -> "Parcel":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: the text is something else.
        """
        data = json.loads(text)
        spans = tuple(Span.from_dict(span) for span in data["spans"])
        for span, attached in zip(spans, data["attachments"], strict=True):
            restore_span(span, data["resource"], _attachments_from_dict(attached))
        return cls(
            trace_id=data["trace_id"],
            experiment_id=data["experiment_id"],
            spans=spans,
            info=data["info"] and _info_from_dict(data["info"]),
            prompts=tuple((name, version) for name, version in data["prompts"]),
            workspace=data["workspace"],
        )


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _text_length(span: Span) -> int:
    return sum(len(value) for value in raw_attributes(span).values() if isinstance(value, str))


# `TraceInfo.to_dict` goes through the REST API's message and truncates metadata and tags to what that allows,
# while a database takes more: so the fields are written one by one.
def _info_to_dict(info: TraceInfo) -> dict[str, Any]:
    return {
        "trace_id": info.trace_id,
        "experiment_id": info.experiment_id,
        "request_time": info.request_time,
        "state": info.state.value,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "client_request_id": info.client_request_id,
        "execution_duration": info.execution_duration,
        "trace_metadata": info.trace_metadata,
        "tags": info.tags,
        "assessments": [assessment.to_dictionary() for assessment in info.assessments],
    }


def _info_from_dict(data: Mapping[str, Any]) -> TraceInfo:
    return TraceInfo(
        trace_id=data["trace_id"],
        trace_location=TraceLocation.from_experiment_id(data["experiment_id"]),
        request_time=data["request_time"],
        state=TraceState(data["state"]),
        request_preview=data["request_preview"],
        response_preview=data["response_preview"],
        client_request_id=data["client_request_id"],
        execution_duration=data["execution_duration"],
        trace_metadata=data["trace_metadata"],
        tags=data["tags"],
        assessments=[Assessment.from_dictionary(assessment) for assessment in data["assessments"]],
    )


def _attachments_to_dict(span: Span) -> dict[str, list[str]]:
    return {
        identifier: [attachment.content_type, base64.b64encode(attachment.content_bytes).decode()]
        for identifier, attachment in attachments(span).items()
    }


def _attachments_from_dict(data: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, bytes]]:
    return {
        identifier: (content_type, base64.b64decode(content)) for identifier, (content_type, content) in data.items()
    }
