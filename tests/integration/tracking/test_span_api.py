"""`tracker.span`, `@tracker.trace`, `tracker.stream`: trees, inputs, outputs, exceptions, and nothing when disabled."""

import asyncio
import contextlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import mlflow
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from tracegauge.tracking import MLFlowTracker


@pytest.fixture
def tracker(sqlite_uri: str) -> Iterator[MLFlowTracker]:
    with MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync"}) as tracker:
        yield tracker


def traces(tracker: MLFlowTracker) -> list[Any]:
    tracker.flush()
    return list(mlflow.search_traces(locations=[tracker.experiment_id], return_type="list"))


def only_trace(tracker: MLFlowTracker) -> dict[str, Any]:
    """The spans of the only trace by name."""
    (trace,) = traces(tracker)
    return {span.name: span for span in trace.data.spans}


def test_spans_nest_and_carry_what_they_are_given(tracker: MLFlowTracker):
    with tracker.span("outer", span_type="AGENT", inputs={"x": 1}, model="m", tries=2) as outer:
        with tracker.span("inner"):
            pass
        with mlflow.start_span("mlflow's own"):
            pass
        outer.set_outputs({"y": 2})
    spans = only_trace(tracker)
    outer_span = spans["outer"]
    assert (outer_span.inputs, outer_span.outputs, outer_span.span_type) == ({"x": 1}, {"y": 2}, "AGENT")
    assert (outer_span.get_attribute("model"), outer_span.get_attribute("tries")) == ("m", 2)
    assert {span.parent_id for name, span in spans.items() if name != "outer"} == {outer_span.span_id}
    assert spans["inner"].span_type == "CHAIN"


def test_an_exception_ends_the_span_with_an_error_and_goes_on(tracker: MLFlowTracker):
    with pytest.raises(KeyError, match="gone"), tracker.span("work"):
        raise KeyError("gone")
    span = only_trace(tracker)["work"]
    assert str(span.status.status_code.value) == "ERROR"
    assert span.status.description == "KeyError: 'gone'"
    (event,) = [event for event in span.events if event.name == "exception"]
    assert event.attributes["exception.type"] == "KeyError"
    assert "test_span_api" in event.attributes["exception.stacktrace"]


def test_decorated_functions(tracker: MLFlowTracker):
    @tracker.trace("named", span_type="TOOL", team="a")
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @tracker.trace
    def bare(*args: int, **kwargs: int) -> None:
        add(1)

    class Thing:
        @tracker.trace(name="method")
        def method(self, x: int) -> int:
            return x

        @tracker.trace
        @classmethod
        def made(cls) -> str:
            return cls.__name__

        @classmethod
        @tracker.trace()
        def of_class(cls, x: int) -> int:
            return x

        @tracker.trace()
        @staticmethod
        def static(x: int) -> int:
            return x

    assert add.__name__ == "add"
    assert add.__doc__ == "Add."
    with tracker.span("root"):
        bare(7, key=8)
        assert (Thing().method(1), Thing.made(), Thing.of_class(2), Thing.static(3)) == (1, "Thing", 2, 3)
    spans = only_trace(tracker)
    assert spans["named"].inputs == {"a": 1}
    assert spans["named"].outputs == 3
    assert (spans["named"].span_type, spans["named"].get_attribute("team")) == ("TOOL", "a")
    assert spans["named"].parent_id == spans["bare"].span_id
    assert spans["bare"].inputs == {"args": [7], "kwargs": {"key": 8}}
    assert spans["bare"].outputs is None
    assert [spans[name].inputs for name in ("method", "of_class", "static")] == [{"x": 1}, {"x": 2}, {"x": 3}]


def test_a_call_with_wrong_arguments_fails_as_it_would_untraced(tracker: MLFlowTracker):
    @tracker.trace
    def takes_one(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="takes_one"):
        takes_one(1, 2)
    assert only_trace(tracker)["takes_one"].inputs == {"args": [1, 2]}


def test_decorated_coroutines_at_once_keep_their_children(tracker: MLFlowTracker):
    @tracker.trace
    async def outer(i: int) -> int:
        await asyncio.sleep(0.01 * (3 - i))
        return await inner(i)

    @tracker.trace
    async def inner(i: int) -> int:
        await asyncio.sleep(0)
        return i

    async def run() -> list[int]:
        return await asyncio.gather(*(outer(i) for i in range(3)))

    assert asyncio.run(run()) == [0, 1, 2]
    found = traces(tracker)
    assert len(found) == 3
    for trace in found:
        spans = {span.name: span for span in trace.data.spans}
        assert spans["inner"].parent_id == spans["outer"].span_id
        assert spans["inner"].inputs == spans["outer"].inputs


def test_a_generators_span_is_active_only_while_it_works(tracker: MLFlowTracker):
    @tracker.trace
    def produce(count: int) -> Iterator[int]:
        for i in range(count):
            with tracker.span(f"produced {i}"):
                yield_value = i
            yield yield_value

    with tracker.span("consumer") as consumer:
        for _ in produce(2):
            assert mlflow.get_current_active_span().span_id == consumer.span_id
            with tracker.span("consumed"):
                pass
    (trace,) = traces(tracker)
    parents = {span.span_id: span.name for span in trace.data.spans}
    tree = [(span.name, parents.get(span.parent_id)) for span in trace.data.spans]
    assert sorted(tree, key=str) == sorted(
        [
            ("consumer", None),
            ("produce", "consumer"),
            ("produced 0", "produce"),
            ("produced 1", "produce"),
            ("consumed", "consumer"),
            ("consumed", "consumer"),
        ],
        key=str,
    )
    produced = next(span for span in trace.data.spans if span.name == "produce")
    assert (produced.inputs, produced.outputs) == ({"count": 2}, [0, 1])


def test_a_generator_that_fails_or_is_left(tracker: MLFlowTracker):
    @tracker.trace
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    @tracker.trace
    def endless() -> Iterator[int]:
        while True:
            yield 1

    with tracker.span("root"):
        with pytest.raises(ValueError, match="no more"):
            list(failing())
        stream = endless()
        next(stream)
        stream.close()
    spans = only_trace(tracker)
    assert str(spans["failing"].status.status_code.value) == "ERROR"
    assert spans["failing"].outputs == [1]
    assert str(spans["endless"].status.status_code.value) == "OK"


def test_asynchronous_generators(tracker: MLFlowTracker):
    @tracker.trace
    async def produce(count: int) -> Any:
        for i in range(count):
            await asyncio.sleep(0)
            with tracker.span("step"):
                pass
            yield i

    async def run() -> list[int]:
        with tracker.span("root"):
            return [i async for i in produce(2)]

    assert asyncio.run(run()) == [0, 1]
    (trace,) = traces(tracker)
    produced = next(span for span in trace.data.spans if span.name == "produce")
    assert produced.outputs == [0, 1]
    assert [span.parent_id for span in trace.data.spans if span.name == "step"] == [produced.span_id] * 2


def test_generators_stay_what_they_are(tracker: MLFlowTracker):
    """What is sent and thrown in reaches them, what they return comes out, and frameworks still see generators."""

    @tracker.trace
    def echo() -> Any:
        try:
            got = yield "ready"
            yield got
        except KeyError:
            yield "caught"
        return "returned"

    @tracker.trace
    async def aecho() -> Any:
        try:
            got = yield "ready"
            yield got
        except KeyError:
            yield "caught"

    assert inspect.isgeneratorfunction(echo)
    assert inspect.isasyncgenfunction(aecho)

    def outer() -> Any:
        return (yield from echo())

    stream = outer()
    assert (next(stream), stream.send("sent"), stream.throw(KeyError())) == ("ready", "sent", "caught")
    with pytest.raises(StopIteration) as stop:
        next(stream)
    assert stop.value.value == "returned"

    async def run() -> Any:
        stream = aecho()
        return (
            await anext(stream),
            await stream.asend("sent"),
            await stream.athrow(KeyError()),
            [x async for x in stream],
        )

    assert asyncio.run(run()) == ("ready", "sent", "caught", [])

    @contextlib.contextmanager
    @tracker.trace
    def swallowing() -> Iterator[None]:
        with contextlib.suppress(ValueError), tracker.span("inside"):
            yield

    with swallowing():
        raise ValueError
    found = {trace.data.spans[0].name: trace for trace in traces(tracker)}
    assert {name: trace.info.state.value for name, trace in found.items()} == {
        "echo": "OK",
        "aecho": "OK",
        "swallowing": "OK",
    }
    assert found["echo"].data.spans[0].outputs == ["ready", "sent", "caught"]


def test_a_stream_of_any_iterable_and_outputs_that_can_not_be_put_together(tracker: MLFlowTracker):
    assert list(tracker.stream("stream", lambda _: iter([1, 2]), outputs=lambda seen: seen[99])) == [1, 2]
    assert only_trace(tracker)["stream"].outputs == [1, 2]


class Mute:
    """Refuses to be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class MuteError(Exception):
    """Refuses to be told."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def strange_values() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    keys = {(1, 2): 3, Mute(): 4}
    return {"mute": Mute(), "circle": circle, "deep": deep, "keys": keys, "half a pair": "cut \ud83d"}


def test_no_value_disturbs_the_code_that_is_traced_or_costs_its_trace(tracker: MLFlowTracker):
    """MLflow itself raises for some of these, does without the span, or loses the trace (half of a surrogate pair)."""

    @tracker.trace
    def same(value: Any) -> Any:
        return value

    strange = strange_values()
    for value in strange.values():
        assert same(value) is value
        with tracker.span("by hand", inputs=value, value=value) as span:
            span.set_outputs(value)
        graph = StateGraph(dict).add_node("node", lambda _, value=value: {"x": value}).add_edge(START, "node").compile()
        assert tracker.wrap_nodes(graph).invoke({"y": value})["x"] is value
    found = traces(tracker)
    assert len(found) == 3 * len(strange)
    assert all(span.inputs is not None and span.outputs is not None for trace in found for span in trace.data.spans)
    outputs = [trace.data.spans[0].outputs for trace in found if trace.data.spans[0].name == "same"]
    assert "cut \ufffd" in outputs


def test_an_exception_that_refuses_to_be_told_ends_its_span(tracker: MLFlowTracker):
    with pytest.raises(MuteError), tracker.span("work"):
        raise MuteError
    assert only_trace(tracker)["work"].status.description == "MuteError: <MuteError>"


def test_a_thread_of_ones_own_needs_the_context_copied(tracker: MLFlowTracker):
    """As with MLflow's own spans: the thread has a whole trace of its own, and disturbs nobody else's."""

    def work() -> None:
        with tracker.span("in thread"), tracker.span("below"):
            pass

    with tracker.span("main"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert sorted(len(trace.data.spans) for trace in traces(tracker)) == [1, 2]


def test_a_cancelled_invocation_is_an_error_and_no_span_stays_open(tracker: MLFlowTracker):
    """MLflow 3.9 has no trace at all of a cancelled invocation under autolog; ours has one on every version."""

    async def forever(state: dict[str, Any]) -> dict[str, Any]:
        with tracker.span("waiting"):
            await asyncio.sleep(60)
        return {}

    graph = StateGraph(dict)
    graph.add_node("forever", forever).add_edge(START, "forever")
    wrapped = tracker.wrap_nodes(graph.compile())

    async def run() -> None:
        task = asyncio.create_task(wrapped.ainvoke({}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    spans = only_trace(tracker)
    assert {name: str(span.status.status_code.value) for name, span in spans.items()} == {
        "LangGraph": "ERROR",
        "forever": "ERROR",
        "waiting": "ERROR",
    }


def test_an_interrupt_is_no_error(tracker: MLFlowTracker):
    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"answer": interrupt("sure?")}

    graph = StateGraph(dict)
    graph.add_node("ask", ask).add_edge(START, "ask")
    wrapped = tracker.wrap_nodes(graph.compile(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}
    wrapped.invoke({"x": 1}, config)
    assert wrapped.invoke(Command(resume="yes"), config)["answer"] == "yes"

    first, second = sorted(traces(tracker), key=lambda trace: trace.info.timestamp_ms)
    assert {str(span.status.status_code.value) for span in [*first.data.spans, *second.data.spans]} == {"OK"}
    interrupted = next(span for span in first.data.spans if span.name == "ask")
    assert interrupted.get_attribute("langgraph.control_flow") == "GraphInterrupt"


def test_wrapping_leaves_the_graph_as_it_was(tracker: MLFlowTracker):
    graph = StateGraph(dict)
    graph.add_node("n", lambda state: {"x": 1}).add_edge(START, "n")
    original = graph.compile()
    nodes = dict(original.nodes)
    wrapped = tracker.wrap_nodes(original)
    assert isinstance(wrapped, type(original))
    assert wrapped.get_graph().to_json() == original.get_graph().to_json()
    assert original.nodes == nodes
    original.invoke({})
    assert traces(tracker) == []
    wrapped.with_config({"tags": ["t"]}).invoke({})
    assert len(traces(tracker)) == 1


def test_while_autolog_is_on_wrapped_nodes_add_nothing(sqlite_uri: str):
    graph = StateGraph(dict)
    graph.add_node("n", lambda state: {"x": 1}).add_edge(START, "n")
    config = {"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync", "use_autolog": True}
    with MLFlowTracker(config) as tracker:
        wrapped = tracker.wrap_nodes(graph.compile())
        with tracker.instrument():
            wrapped.invoke({})
        (trace,) = traces(tracker)
    assert [span.name for span in trace.data.spans].count("n") == 1


def test_without_what_autolog_needs_the_workflow_runs_on(
    sqlite_uri: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """As MLflow 3.9 without the package langchain. On other versions only the import can be made to fail."""
    monkeypatch.setitem(sys.modules, "mlflow.langchain", None)
    config = {"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync", "autolog_enabled": True}
    with MLFlowTracker(config) as tracker, tracker.instrument():
        with tracker.span("work"):
            pass
        assert len(traces(tracker)) == 1
    assert "autolog can't be turned on" in caplog.text


def test_names_of_traces(sqlite_uri: str):
    graph = StateGraph(dict)
    graph.add_node("n", lambda state: {"x": 1}).add_edge(START, "n")
    config = {"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync"}
    with MLFlowTracker(config, {"flow": {"name": "article_writer"}}) as tracker:
        tracker.wrap_nodes(graph.compile()).invoke({})
        (trace,) = traces(tracker)
        assert trace.info.tags["mlflow.traceName"] == "article_writer"
        assert mlflow.get_experiment(tracker.experiment_id).name == "article_writer"


def test_disabled_nothing_happens_and_mlflow_is_not_even_imported():
    program = """
import sys
from tracegauge.tracking import MLFlowTracker
tracker = MLFlowTracker({"enabled": False, "redact": ["x"]})
@tracker.trace("f")
def f(x): return x
graph = object()
with tracker, tracker.instrument(), tracker.span("s", inputs=1, a=2) as span:
    span.set_inputs(1); span.set_outputs(2); span.set_attribute("a", 1); span.set_attributes({}); span.add_event(None)
    assert f(3) == 3
    assert tracker.wrap_nodes(graph) is graph
    assert list(tracker.stream("s", lambda span: iter([1]))) == [1]
    assert tracker.outgoing_headers() == {}
    with tracker.incoming({"traceparent": "00-" + "1" * 32 + "-" + "1" * 16 + "-01"}):
        pass
    assert tracker.flush() is None and tracker.tracking_uri is None and tracker.experiment_id is None
assert "mlflow" not in sys.modules and "langgraph" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("delivery", ["sync", "lossless"])
def test_a_trace_points_to_the_run_that_it_is_made_in(sqlite_uri: str, delivery: str):
    with MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri, "delivery": delivery}) as tracker:
        with mlflow.start_run() as run, tracker.span("inside"):
            pass
        with tracker.span("outside"):
            pass
        runs = {
            trace.data.spans[0].name: trace.info.request_metadata.get("mlflow.sourceRun") for trace in traces(tracker)
        }
    assert runs == {"inside": run.info.run_id, "outside": None}


def test_flushing_what_was_written_at_once_says_nothing(tracker: MLFlowTracker, capfd: pytest.CaptureFixture[str]):
    with tracker.span("written"):
        pass
    capfd.readouterr()
    assert tracker.flush().pending == 0
    assert "ERROR" not in capfd.readouterr().err  # MLflow 3.9's own flush tells of a missing `_async_queue`
