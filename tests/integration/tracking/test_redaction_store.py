"""No secret reaches the store: after everything that can write has written, the whole store is searched for it."""

import asyncio
import time
from pathlib import Path
from typing import Any

import mlflow
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from tracegauge.tracking import MLFlowTracker

SECRETS = {
    "plain": "sk-live-4242abcd",
    "umlaut": "geheim-Schlüssel-7",
    "quoted": 'pass"word\\9',
    "number": 4111111111111111,
}
PATTERNS = [r"sk-live-\w+", r"geheim-\S+?-7", r'pass"word\\9', r"\b4\d{15}\b"]
TRACES = (
    "sk-live-4242abcd",
    "4242abcd",
    "geheim-Schl",
    'pass"word',
    'pass\\"word',
    'pass\\\\"word',
    "4111111111111111",
)
"""Every way in which a secret, or a tell-tale part of one, may be written in JSON, in JSON within JSON, or as text."""


class Model(BaseChatModel):
    @property
    def _llm_type(self) -> str:
        return "test"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        calls = [{"name": "lookup", "args": dict(SECRETS), "id": "1"}] if len(messages) == 1 else []
        message = AIMessage(f"the key is {SECRETS['plain']}", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def lookup(plain: str, umlaut: str, quoted: str, number: int) -> str:
    """Look it up."""
    return f"{plain} {umlaut} {quoted} {number}"


def agent_graph(asynchronous: bool) -> Any:
    model = Model()

    def agent(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    async def aagent(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    def fail(state: MessagesState) -> Any:
        raise RuntimeError(f"can't log in with {SECRETS['plain']} or {SECRETS['quoted']} or {SECRETS['number']}")

    graph = StateGraph(MessagesState)
    graph.add_node("agent", aagent if asynchronous else agent).add_node("tools", ToolNode([lookup]))
    graph.add_node("fail", fail)
    graph.add_edge(START, "agent").add_edge("agent", "tools").add_edge("tools", "fail")
    return graph.compile()


def find_in(folder: Path) -> list[str]:
    """Every file below the folder with a trace of a secret in it, the database's own files included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [
        f"{path.relative_to(folder)}: {trace}"
        for path in files
        for trace in TRACES
        for encoded in {trace.encode(), trace.encode("utf-16-le")}
        if encoded in path.read_bytes()
    ]


@pytest.fixture(params=["sqlite", "file"])
def store(request: pytest.FixtureRequest, in_tmp_path: Path, sqlite_uri: str) -> str:
    return sqlite_uri if request.param == "sqlite" else "./mlruns"


@pytest.fixture(params=["sync", "mlflow", "lossless"])
def settings(request: pytest.FixtureRequest, store: str) -> dict[str, Any]:
    return {
        "enabled": True,
        "tracking_uri": store,
        "experiment_name": "e",
        "run_name": f"run of {SECRETS['plain']}",
        "delivery": request.param,
        "redact": PATTERNS,
    }


def ask() -> dict[str, Any]:
    return {"messages": [HumanMessage(f"my key is {SECRETS['plain']}, {SECRETS['umlaut']}, {SECRETS['quoted']}")]}


def test_the_search_finds_what_is_not_redacted(settings: dict[str, Any], in_tmp_path: Path):
    """The test itself: without `redact` every secret is found."""
    with MLFlowTracker({**settings, "redact": []}) as tracker:
        with tracker.span("work", inputs=SECRETS):
            pass
        tracker.flush()
    found = " ".join(find_in(in_tmp_path))
    assert "sk-live-4242abcd" in found
    assert "4111111111111111" in found
    assert 'pass\\"word' in found or 'pass\\\\"word' in found


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("instrument", ["manual", "autolog"])
def test_graphs(settings: dict[str, Any], in_tmp_path: Path, instrument: str, asynchronous: bool):
    """Messages, tool calls with JSON within JSON, results, states, and an exception with its stack trace."""
    with MLFlowTracker({**settings, "autolog_enabled": instrument == "autolog"}) as tracker, tracker.instrument():
        graph = agent_graph(asynchronous)
        if instrument == "manual":
            graph = tracker.wrap_nodes(graph)
        with pytest.raises(RuntimeError, match="sk-live"):
            asyncio.run(graph.ainvoke(ask())) if asynchronous else graph.invoke(ask())
        tracker.flush()
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
        names = {span.name.rstrip("_0123456789") for span in trace.data.spans}
    assert {"agent", "tools", "lookup", "fail"} <= names
    assert find_in(in_tmp_path) == []


@pytest.mark.filterwarnings("ignore:MLFlowTracker.track_node is deprecated")
def test_everything_that_a_user_can_set(settings: dict[str, Any], in_tmp_path: Path):
    secret = SECRETS["plain"]

    @mlflow.trace
    def traced(key: str) -> dict[str, str]:
        return {"key": key}

    with MLFlowTracker(settings) as tracker:

        @tracker.trace(f"stream {secret}")
        def stream(key: str) -> Any:
            yield key

        with tracker.span(f"span {secret}", inputs=SECRETS, key=secret, **{f"attribute {secret}": 1}) as span:
            span.set_outputs([{"nested": [SECRETS]}, secret])
            span.set_attribute("list", [1, secret, SECRETS["number"]])
            span.add_event(mlflow.entities.SpanEvent(f"event {secret}", attributes={"key": secret, secret: "x"}))
            span.set_status(mlflow.entities.SpanStatus("ERROR", f"failed with {secret}"))
            mlflow.update_current_trace(
                tags={"tag": secret, f"tag {secret}": "x"},
                metadata={"metadata": secret},
                request_preview=f"preview {secret}",
                response_preview=f"preview {secret}",
                client_request_id=f"id {secret}",
            )
            traced(secret)
            list(stream(secret))
        with tracker.track_workflow(SECRETS):
            with tracker.track_node(f"node {secret}", f"model {secret}", tools=[secret]):
                tracker.log_node_metrics(1, 2, "m", prompt=f"say {secret}" + "." * 600, response=secret)
            tracker.finalize_workflow({"all": SECRETS})
        with pytest.raises(ValueError, match="sk-live"), tracker.track_workflow({}):
            raise ValueError(f"no {secret}")
        tracker.flush()
        traces = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert len(traces) == 1
    assert find_in(in_tmp_path) == []
    root = next(span for span in traces[0].data.spans if span.parent_id is None)
    assert root.name == "span [REDACTED]"
    assert root.inputs["plain"] == "[REDACTED]"
    assert root.status.description == "failed with [REDACTED]"
    assert traces[0].info.tags["tag"] == "[REDACTED]"


def test_spans_that_are_open_when_their_trace_is_written(settings: dict[str, Any], in_tmp_path: Path):
    """MLflow 3.9 writes them as they are (and can't read such a trace back from SQLite): so the store is searched."""
    with MLFlowTracker(settings) as tracker:
        with tracker.span("root") as span:
            left_open = mlflow.start_span_no_context("left open", parent_span=span, inputs=SECRETS)
        left_open.end()
        tracker.flush()
    assert find_in(in_tmp_path) == []


def test_what_does_not_match_is_stored_as_it_was(settings: dict[str, Any]):
    inputs = {"text": "four 4111 one", "number": 42, "float": 1.5, "none": None, "list": [True, "ü"]}
    with MLFlowTracker(settings) as tracker:
        with tracker.span("plain", inputs=inputs, model="gpt-4o") as span:
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
        tracker.flush()
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    (stored,) = trace.data.spans
    assert stored.inputs == inputs
    assert stored.get_attribute("model") == "gpt-4o"
    assert stored.get_attribute("mlflow.chat.tokenUsage")["total_tokens"] == 3


def test_a_pattern_for_all_numbers_leaves_traces_readable(settings: dict[str, Any]):
    """Ids, kinds, sizes and token counts are MLflow's own."""
    with MLFlowTracker({**settings, "redact": [r"\d"]}) as tracker:
        with tracker.span("work", span_type="TOOL", inputs={"pin": 1234}) as span:
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
        tracker.flush()
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    (stored,) = trace.data.spans
    assert stored.inputs == {"pin": "[REDACTED]"}
    assert stored.span_type == "TOOL"
    assert stored.get_attribute("mlflow.chat.tokenUsage")["total_tokens"] == 3


def test_a_span_that_can_not_be_filtered_is_stored_empty(settings: dict[str, Any], in_tmp_path: Path):
    deep: Any = SECRETS["plain"]
    for _ in range(400):
        deep = [deep]
    with MLFlowTracker(settings) as tracker:
        with tracker.span("deep", inputs=deep):
            pass
        tracker.flush()
    assert find_in(in_tmp_path) == []


def test_users_own_processors_still_run_and_run_first(settings: dict[str, Any], in_tmp_path: Path):
    def add_secret(span: Any) -> None:
        span.set_attribute("added", SECRETS["plain"])

    mlflow.tracing.configure(span_processors=[add_secret])
    with MLFlowTracker(settings) as tracker:
        with tracker.span("work"):
            pass
        tracker.flush()
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert trace.data.spans[0].get_attribute("added") == "[REDACTED]"
    assert mlflow.tracing.config.get_config().span_processors == [add_secret]
    assert find_in(in_tmp_path) == []


def test_processors_that_are_configured_later_take_nothing_away(settings: dict[str, Any], in_tmp_path: Path):
    def add_secret(span: Any) -> None:
        span.set_attribute("added", SECRETS["plain"])

    with MLFlowTracker(settings) as tracker:
        with tracker.span("before"):
            mlflow.tracing.configure(span_processors=[add_secret])
        with mlflow.tracing.configure(span_processors=[]), tracker.span("within", inputs=SECRETS["plain"]):
            pass
        mlflow.tracing.reset()
        with tracker.span("after", inputs=SECRETS["plain"]):
            pass
        tracker.flush()
        # Each of these calls gives MLflow a new exporter; of the queues of delivery `mlflow` only the last one's is
        # flushed, while the threads of those before go on writing.
        deadline, found = time.monotonic() + 30, []
        while len(found) < 3 and time.monotonic() < deadline:
            found = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert {trace.data.spans[0].name for trace in found} == {"before", "within", "after"}
    assert find_in(in_tmp_path) == []


@pytest.mark.parametrize("instrument", ["manual", "autolog"])
def test_without_log_prompts_model_calls_keep_only_their_figures(settings: dict[str, Any], instrument: str):
    config = {**settings, "log_prompts": False, "redact": [], "autolog_enabled": instrument == "autolog"}
    with MLFlowTracker(config) as tracker, tracker.instrument():
        graph = StateGraph(MessagesState)
        graph.add_node("agent", lambda state: {"messages": [Model().invoke(state["messages"])]}).add_edge(
            START, "agent"
        )
        tracker.wrap_nodes(graph.compile()).invoke({"messages": [HumanMessage("hello")]})
        tracker.flush()
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    (model,) = [span for span in trace.data.spans if span.span_type == "CHAT_MODEL"]
    assert model.inputs is None
    assert model.outputs is None


def test_a_wrong_pattern_is_told_at_once(in_tmp_path: Path):
    with pytest.raises(Exception, match=r"redact: '\(' is no regular expression"):
        MLFlowTracker({"redact": ["("]})
