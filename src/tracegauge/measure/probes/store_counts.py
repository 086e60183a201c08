"""What is really in a store: counted in the store itself, through MLflow's client."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mlflow.entities import SpanType, Trace, ViewType
from mlflow.tracking import MlflowClient

_PAGE = 100
_LLM_TYPES = {SpanType.LLM, SpanType.CHAT_MODEL}
_PARENT_TAG = "mlflow.parentRunId"


@dataclass(frozen=True)
class Stored:
    """Counts over the traces (or workflow runs) of one experiment."""

    traces: int = 0
    spans: int = 0
    node_spans: int = 0
    llm_spans: int = 0
    tool_spans: int = 0
    orphan_spans: int = 0

    def __sub__(self, other: "Stored") -> "Stored":
        return Stored(
            self.traces - other.traces,
            self.spans - other.spans,
            self.node_spans - other.node_spans,
            self.llm_spans - other.llm_spans,
            self.tool_spans - other.tool_spans,
            self.orphan_spans - other.orphan_spans,
        )

    def __add__(self, other: "Stored") -> "Stored":
        return self - (Stored() - other)


def stored_traces(client: MlflowClient, experiment_id: str, node_names: Collection[str]) -> Stored:
    """Count the experiment's traces and their spans."""
    total = Stored()
    for trace in _pages(client.search_traces, locations=[experiment_id], max_results=_PAGE):
        total = total + _count_spans(trace, node_names)
    return total


def _count_spans(trace: Trace, node_names: Collection[str]) -> Stored:
    spans = trace.data.spans
    ids = {span.span_id for span in spans}
    children = [span for span in spans if span.parent_id is not None]
    llm = sum(span.span_type in _LLM_TYPES for span in children)
    tools = sum(span.span_type == SpanType.TOOL for span in children)
    # Older MLflow versions number spans of the same name: draft_1, draft_2. Autolog has no name for some lambdas.
    names = [
        re.sub(r"_\d+$", "", span.name) if span.name not in node_names else span.name
        for span in children
        if span.name and span.span_type not in _LLM_TYPES and span.span_type != SpanType.TOOL
    ]
    return Stored(
        traces=1,
        spans=len(spans),
        node_spans=sum(name in node_names for name in names),
        llm_spans=llm,
        tool_spans=tools,
        orphan_spans=sum(span.parent_id not in ids for span in children),
    )


def stored_runs(client: MlflowClient, experiment_id: str) -> Stored:
    """Count the experiment's nested runs as the 2.9-era tracker names them.

    A workflow run counts as a trace, it and its node runs (`node_…`) as spans; a node run whose parent is not a
    workflow run is an orphan.
    """
    runs = list(
        _pages(client.search_runs, experiment_ids=[experiment_id], run_view_type=ViewType.ACTIVE_ONLY, max_results=1000)
    )
    nodes = [run for run in runs if run.info.run_name.startswith("node_")]
    workflow_ids = {run.info.run_id for run in runs} - {run.info.run_id for run in nodes}
    orphans = sum(run.data.tags.get(_PARENT_TAG) not in workflow_ids for run in nodes)
    return Stored(traces=len(workflow_ids), spans=len(runs), node_spans=len(nodes) - orphans, orphan_spans=orphans)


def _pages(search: Any, **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(**arguments, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
