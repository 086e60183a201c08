"""Writing a trace with MLflow's tracing client, whatever store is behind it, and asking a server."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mlflow.entities import Span, Trace, TraceData
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import RestException
from mlflow.store.tracking.rest_store import RestStore
from mlflow.tracing.constant import SpansLocation, TraceMetadataKey, TraceTagKey
from mlflow.tracing.utils import add_size_stats_to_trace_metadata

from tracegauge.tracking.compat.span_content import attachments

SIZE_KEY = TraceMetadataKey.SIZE_STATS


def add_size_metadata(info: Any, spans: Sequence[Span]) -> None:
    """Record the trace's size in its metadata, as MLflow's exporter does before it writes a trace."""
    if SIZE_KEY not in info.trace_metadata:
        add_size_stats_to_trace_metadata(Trace(info, TraceData(list(spans))))


def log_spans(client: Any, experiment_id: str, spans: Sequence[Span]) -> None:
    """`client.log_spans`, which a store without it (the file store, or a server over one) refuses in two ways.

    Raises:
        NotImplementedError: the store keeps spans as artifacts of the trace.
    """
    try:
        client.log_spans(experiment_id, list(spans))
    except RestException as error:
        if "REST OTLP span logging is not supported" in error.message:
            raise NotImplementedError from error
        raise
    except NotImplementedError as error:
        if "could not identify" not in str(error):
            raise
        # A server that did not answer once: MLflow would remember that for as long as the process lives.
        RestStore._get_server_version.cache_clear()
        raise ConnectionError(str(error)) from error


def has_spans_in_store(info: Any) -> bool:
    """Whether the store has the trace's spans itself, so that they need not be uploaded as an artifact."""
    return bool(info.tags.get(TraceTagKey.SPANS_LOCATION) == SpansLocation.TRACKING_STORE.value)


def upload_spans(client: Any, info: Any, spans: Sequence[Span]) -> None:
    """Upload the trace's spans as an artifact of it."""
    client._upload_trace_data(info, TraceData(list(spans)))


def upload_attachments(client: Any, info: Any, spans: Sequence[Span]) -> None:
    """Upload the spans' binary attachments as artifacts of their trace."""
    attached = {key: value for span in spans for key, value in attachments(span).items()}
    if attached:
        stored = client.get_trace_info(info.trace_id)  # with the tag that says where its artifacts are
        client._upload_attachments(stored, attached)


def link_prompts(client: Any, trace_id: str, prompts: Sequence[tuple[str, int]]) -> None:
    """Link registered prompts to a stored trace."""
    if prompts:
        versions = [PromptVersion(name=name, version=version, template="-") for name, version in prompts]
        client.link_prompt_versions_to_trace(trace_id, versions)


def in_workspace(workspace: str | None) -> AbstractContextManager[object]:
    """Address a server's workspace, which exist from MLflow 3.10 on."""
    if workspace is None:
        return nullcontext()
    from mlflow.utils.workspace_context import ServerWorkspaceContext

    context: AbstractContextManager[object] = ServerWorkspaceContext(workspace)
    return context


def server_request(uri: str, endpoint: str, timeout_s: float) -> Any:
    """GET an endpoint of a tracking server once, as MLflow's client does: the answer as `requests.Response`."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    return http_request(
        get_default_host_creds(uri), endpoint, "GET", max_retries=0, timeout=timeout_s, raise_on_status=False
    )
