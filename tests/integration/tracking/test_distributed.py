"""A client and a graph served over HTTP by another process: one trace."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import mlflow
import pytest

from tracegauge.tracking import MLFlowTracker

SERVER = """
import asyncio, sys
import uvicorn
from langgraph.graph import START, StateGraph
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tracegauge.tracking import MLFlowTracker

uri, port, delivery = sys.argv[1:]

async def double(state):
    await asyncio.sleep(state["wait"])
    return {"x": state["x"] * 2}

graph = StateGraph(dict)
graph.add_node("double", double).add_edge(START, "double")

with MLFlowTracker({"enabled": True, "tracking_uri": uri, "experiment_name": "e", "delivery": delivery}) as tracker:
    served = tracker.wrap_nodes(graph.compile())

    async def invoke(request):
        with tracker.incoming(request.headers), tracker.span("served"):
            result = await served.ainvoke(await request.json())
        return JSONResponse(result)

    async def flush(request):
        tracker.flush()
        return JSONResponse({})

    routes = [Route("/invoke", invoke, methods=["POST"]), Route("/flush", flush, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(port), log_level="error")
"""


@pytest.fixture(params=["sync", "mlflow", "lossless"])
def delivery(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(in_tmp_path: Path, sqlite_uri: str, delivery: str) -> Iterator[str]:
    """The URL of the process that serves the graph."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, sqlite_uri, str(port), delivery])
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.post(f"{url}/flush", timeout=30)
                break
            except httpx.TransportError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_requests_at_once_belong_to_the_callers_trace(served: str, sqlite_uri: str, delivery: str):
    """The first request to end must not take with it the spans of those of the same trace that are still running."""
    config = {"enabled": True, "tracking_uri": sqlite_uri, "experiment_name": "e", "delivery": delivery}
    with MLFlowTracker(config) as tracker:
        with tracker.span("client") as client:
            headers = tracker.outgoing_headers()

            def call(x: int) -> int:
                wait = 0.05 + 0.2 * x
                answer = httpx.post(f"{served}/invoke", json={"x": x, "wait": wait}, headers=headers, timeout=60)
                return int(answer.json()["x"])

            with ThreadPoolExecutor(3) as pool:
                assert list(pool.map(call, range(3))) == [0, 2, 4]
        tracker.flush()
        httpx.post(f"{served}/flush", timeout=60)
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")

    spans = {span.span_id: span for span in trace.data.spans}
    assert trace.info.trace_id == client.trace_id
    assert sorted(span.name for span in spans.values()) == ["client"] + ["double"] * 3 + ["served"] * 3
    parents = {"client": None, "served": "client", "double": "served"}
    for span in spans.values():
        parent = spans.get(span.parent_id)
        assert (parent.name if parent else None) == parents[span.name]


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"Traceparent": "00-0-0-00"}])
def test_without_valid_headers_it_is_a_trace_of_its_own(sqlite_uri: str, headers: dict[str, str]):
    with MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync"}) as tracker:
        with tracker.incoming(headers), tracker.span("served"):
            pass
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert [(span.name, span.parent_id) for span in trace.data.spans] == [("served", None)]


def test_headers_come_in_any_form(sqlite_uri: str):
    """As Flask capitalizes them, and as pairs of bytes in an ASGI scope; caller and called may be one process."""
    with MLFlowTracker({"enabled": True, "tracking_uri": sqlite_uri, "delivery": "sync"}) as tracker:
        assert tracker.outgoing_headers() == {}
        with tracker.span("client"):
            traceparent = tracker.outgoing_headers()["traceparent"]
            with tracker.incoming({"Traceparent": traceparent}), tracker.span("capitalized"):
                pass
            with tracker.incoming([(b"traceparent", traceparent.encode())]), tracker.span("bytes"):
                pass
        (trace,) = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert sorted(span.name for span in trace.data.spans) == ["bytes", "capitalized", "client"]


def test_the_file_store_keeps_what_it_can_not_join(in_tmp_path: Path):
    with MLFlowTracker({"enabled": True, "tracking_uri": "./mlruns", "delivery": "sync"}) as tracker:
        headers = {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"}
        with tracker.incoming(headers), tracker.span("served"):
            pass
        assert len(mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")) == 1
