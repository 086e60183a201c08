"""What `lossless` stores is what MLflow stores: column by column, in every table, with right totals.

Each example is traced once. The trace then goes into one database span by span, as MLflow's own synchronous export
writes it, and into another one through a spill file and the bulk writer.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import mlflow
import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, StateGraph
from mlflow.entities import SpanEvent, SpanType
from mlflow.tracing.client import TracingClient

from tracegauge.tracking.compat.store_client import add_size_metadata
from tracegauge.tracking.compat.tracer_provider import exporter_class, rebuild_tracer_provider
from tracegauge.tracking.delivery.exporter import WholeTraceExporter
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.sql_writer import SqlWriter

TOKENS = {"input_tokens": 120, "output_tokens": 40, "total_tokens": 160}
GENERATION = "db_payload_generation"
"""Counts the writes to a trace (MLflow 3.13 and later); fewer writes are the point of writing in bulk."""


class FakeModel(BaseChatModel):
    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        message = AIMessage(f"an answer to {messages[-1].content}", usage_metadata=TOKENS)
        return ChatResult(generations=[ChatGeneration(message=message)])


class State(TypedDict):
    question: str
    answers: list[str]


def chain_of_five_nodes() -> None:
    """11 spans: the graph, five nodes, a model call in each."""

    def node(state: State) -> dict[str, Any]:
        return {"answers": [*state["answers"], FakeModel().invoke(state["question"]).content]}

    graph = StateGraph(State)
    names = [f"node_{number}" for number in range(5)]
    for before, name in zip([START, *names], names, strict=False):
        graph.add_node(name, node)
        graph.add_edge(before, name)
    graph.add_edge(names[-1], END)
    mlflow.langchain.autolog()
    try:
        graph.compile().invoke({"question": "What is 6 times 7 — „genau“?", "answers": []})
    finally:
        mlflow.langchain.autolog(disable=True)


def everything_a_trace_can_have() -> None:
    with mlflow.start_span("root", span_type=SpanType.AGENT, attributes={"custom": [1, "two"]}) as root:
        root.set_inputs({"question": "x" * 3000, "text": "\u2028 \x00 äöü"})
        mlflow.update_current_trace(
            tags={"tag": "value", "long": "v" * 4000},
            metadata={"mlflow.trace.session": "session-1", "mlflow.trace.user": "user-1", "own": "m" * 240},
            client_request_id="request-1",
            request_preview="asked",
            response_preview="answered",
        )
        with mlflow.start_span("events") as span:
            span.add_event(SpanEvent("happened", attributes={"number": 1, "list": ["a", "b"], "flag": True}))
        with mlflow.start_span("tool", span_type=SpanType.TOOL) as span:
            span.set_outputs([1.5, None, {"nested": {"deep": True}}])
        root.set_outputs("done")


def an_error() -> None:
    with pytest.raises(ValueError, match="no"), mlflow.start_span("failing"), mlflow.start_span("child"):
        raise ValueError("no")


def an_agent_that_sums_up_its_calls() -> None:
    """The parent carries the sum of its children's tokens, as several integrations record it."""
    with mlflow.start_span("agent") as agent:
        for number in range(2):
            with mlflow.start_span(f"call {number}", span_type=SpanType.CHAT_MODEL) as call:
                call.set_attribute("mlflow.chat.tokenUsage", TOKENS)
                call.set_attribute("mlflow.llm.cost", {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3})
                call.set_attribute("mlflow.llm.model", "fake-1")
                call.set_attribute("mlflow.llm.provider", "nobody")
        agent.set_attribute("mlflow.chat.tokenUsage", {key: 2 * count for key, count in TOKENS.items()})


def a_single_span() -> None:
    mlflow.start_span_no_context("alone").end()


EXAMPLES = [
    chain_of_five_nodes,
    everything_a_trace_can_have,
    an_error,
    an_agent_that_sums_up_its_calls,
    a_single_span,
]


def parcels_of(context, example: Callable[[], None]) -> list[Parcel]:
    """What the example hands over for delivery."""
    parcels: list[Parcel] = []

    def make_exporter(tracking_uri: str) -> WholeTraceExporter:
        return WholeTraceExporter(tracking_uri, parcels.append, lambda: None)

    with exporter_class(make_exporter):
        rebuild_tracer_provider()
        example()
    return parcels


def write_as_mlflow_does(uri: str, parcel: Parcel) -> None:
    """`MlflowV3SpanExporter.export` for each span as it ends, synchronously; the root's ends the trace."""
    client = TracingClient(uri)
    for span in sorted(parcel.spans, key=lambda span: (span.end_time_ns, span.parent_id is None)):
        client.log_spans(parcel.experiment_id, [span])
    add_size_metadata(parcel.info, parcel.spans)
    client.start_trace(parcel.info)


def contents(database: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in a fixed order."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        found = {table: [dict(row) for row in connection.execute(f"select * from {table}")] for table in tables}
    return {
        table: sorted(
            ({key: value for key, value in row.items() if key != GENERATION} for row in rows),
            key=lambda row: json.dumps(row, default=str, sort_keys=True),
        )
        for table, rows in found.items()
    }


@pytest.fixture
def two_databases(context, database: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Equal stores, with the experiments 1 and 2."""
    mlflow.MlflowClient(context.tracking_uri).create_experiment("another")
    other = tmp_path / "other.db"
    other.write_bytes(database.read_bytes())
    return database, other


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.__name__)
def test_the_same_rows_as_mlflow(context, two_databases, example):
    theirs, ours = two_databases
    parcels = parcels_of(context, example)
    assert len(parcels) == 1
    assert parcels[0].info is not None
    lines = [parcel.to_json() for parcel in parcels]  # before MLflow's way adds to the trace's metadata
    for parcel in parcels:
        write_as_mlflow_does(f"sqlite:///{theirs}", parcel)
    outcome = SqlWriter(f"sqlite:///{ours}").write([Parcel.from_json(line) for line in lines])
    assert (outcome.unsent, outcome.refused) == ([], []), outcome.error
    expected, found = contents(theirs), contents(ours)
    assert found.keys() == expected.keys()
    for table, expected_rows in expected.items():
        assert found[table] == expected_rows, table
    assert found["spans"]


def test_a_batch_is_stored_like_its_traces_one_by_one(context, two_databases):
    """All examples in one transaction, twice, in two experiments; one of them is in the store before that."""
    theirs, ours = two_databases
    parcels = [parcel for example in EXAMPLES for parcel in parcels_of(context, example)]
    parcels = [parcel.readdressed(str(1 + number % 2)) for number, parcel in enumerate(parcels)]
    lines = [parcel.to_json() for parcel in parcels]
    for parcel in parcels:
        write_as_mlflow_does(f"sqlite:///{theirs}", parcel)
    writer = SqlWriter(f"sqlite:///{ours}")
    for batch in (lines[2:3], lines, lines):
        outcome = writer.write([Parcel.from_json(line) for line in batch])
        assert (outcome.unsent, outcome.refused) == ([], []), outcome.error
    assert contents(ours) == contents(theirs)


def test_token_totals_are_the_sums_over_model_calls(context, database: Path):
    """Five calls of 120 + 40 tokens; an agent that sums up its two calls has two calls' worth, not four."""
    client = mlflow.MlflowClient(context.tracking_uri)
    writer = SqlWriter(context.tracking_uri)
    for example, calls in ((chain_of_five_nodes, 5), (an_agent_that_sums_up_its_calls, 2)):
        (parcel,) = parcels_of(context, example)
        writer.write([parcel])
        stored = client.get_trace(parcel.trace_id).info.token_usage
        assert {key: stored[key] for key in TOKENS} == {key: calls * count for key, count in TOKENS.items()}
