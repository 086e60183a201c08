"""What a span holds, read and rewritten past the setters, which refuse spans that have ended."""

from collections.abc import Callable, Mapping
from typing import Any

from mlflow.entities import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Status

try:
    from mlflow.tracing.attachments import Attachment
except ImportError:  # MLflow 3.9 has no attachments
    Attachment = None


def raw_attributes(span: Any) -> dict[str, Any]:
    """A live span's attributes as they will be stored: JSON texts."""
    return dict(span._span.attributes or {})


def replace_raw_attribute(span: Any, key: str, new_key: str | None, value: Any) -> None:
    """Replace an attribute of a live span, its key too; None removes it."""
    attributes = span._span._attributes
    del attributes[key]
    if new_key is not None:
        attributes[new_key] = value


def rewrite_events(span: Any, rewrite: Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]] | None]) -> None:
    """Give each event of a live span a new name and new attributes; None removes it."""
    events = span._span._events
    kept = []
    for event in events:
        rewritten = rewrite(event.name, event.attributes or {})
        if rewritten is not None:
            kept.append(Event(rewritten[0], attributes=rewritten[1], timestamp=event.timestamp))
    events._dq.clear()
    events.extend(kept)


def rewrite_status(span: Any, rewrite: Callable[[str], str]) -> None:
    """Give the status of a live span a new description."""
    status = span._span._status
    if status.description:
        span._span._status = Status(status.status_code, rewrite(status.description))


def rename(span: Any, name: str) -> None:
    """Give a live span a new name."""
    span._span._name = name


def rewrite_attachments(span: Any, rewrite: Callable[[bytes], bytes]) -> None:
    """Give each attachment of a live span new content; MLflow has attachments from 3.11."""
    for attachment in getattr(span, "_attachments", {}).values():
        attachment._content_bytes = rewrite(attachment._content_bytes)


def rewrite_links(span: Any, rewrite: Callable[[Any], Any]) -> None:
    """Give each link of a live span new attributes; MLflow has links from 3.12."""
    for link in getattr(span, "_links", ()):
        if link.attributes:
            rewritten = rewrite(dict(link.attributes))
            link.attributes.clear()
            link.attributes.update(rewritten)


def resource_attributes(span: Span) -> dict[str, Any]:
    """The attributes of the OpenTelemetry resource that the span belongs to, such as `service.name`."""
    resource = getattr(span._span, "resource", None)
    return dict(resource.attributes) if resource is not None else {}


def attachments(span: Span) -> Mapping[str, Any]:
    """Binary attachments by id, each with a `content_type` and `content_bytes`."""
    return getattr(span, "_attachments", {})


def restore_span(span: Span, resource: Mapping[str, Any], attached: Mapping[str, tuple[str, bytes]]) -> None:
    """Give a span that was read with `Span.from_dict` what its dictionary left out."""
    span._span._resource = Resource(dict(resource))
    for identifier, (content_type, content) in attached.items():
        attachment = Attachment(content_type=content_type, content_bytes=content)
        attachment._id = identifier
        span._attachments[identifier] = attachment
