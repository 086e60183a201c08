"""What sync needs to know of traces and runs and MLflow has no public way to ask."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from mlflow.entities import Metric, Run, TraceInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracing.client import TracingClient


def trace_artifacts(tracking_uri: str, info: TraceInfo) -> ArtifactRepository:
    """The repository of a trace's files: its attachments, and its spans where they are not in the database."""
    return TracingClient(tracking_uri)._get_artifact_repo_for_trace(info)


def linked_traces(store: SqlAlchemyStore) -> Iterator[tuple[str, str]]:
    """(trace id, run id) of the links that are made after a trace was, as evaluations make them."""
    links = sa.table(
        "entity_associations", *map(sa.column, ("source_type", "source_id", "destination_type", "destination_id"))
    )
    query = sa.select(links.c.source_id, links.c.destination_id).where(
        links.c.source_type == "trace", links.c.destination_type == "run"
    )
    with store.engine.connect() as connection:
        yield from ((trace_id, run_id) for trace_id, run_id in connection.execute(query))


def latest_metrics(run: Run) -> Sequence[Metric]:
    """The last point of each of a run's metrics, with its step and time, as a search has told them."""
    metrics: Sequence[Metric] = run.data._metric_objs
    return metrics
