"""What reading from a store costs."""

import time
from collections.abc import Callable
from typing import Any, Literal

from mlflow.tracking import MlflowClient

from tracegauge.results import ReadCost

SEARCH_SIZE = 100


def read_cost(
    tracking_uri: str, experiment_name: str, writes: Literal["runs", "traces"], store_traces: int, repetitions: int
) -> ReadCost:
    """Time a search of up to 100 traces with their spans (or runs), and a get of one, `repetitions` times each.

    The first read of each kind is not timed: it opens the store.
    """
    client = MlflowClient(tracking_uri)
    experiment_id = client.get_experiment_by_name(experiment_name).experiment_id
    search: Callable[[], Any]
    get: Callable[[], Any]
    if writes == "traces":
        search = lambda: client.search_traces(locations=[experiment_id], max_results=SEARCH_SIZE)  # noqa: E731
        trace_id = search()[0].info.trace_id
        get = lambda: client.get_trace(trace_id)  # noqa: E731
    else:
        search = lambda: client.search_runs([experiment_id], max_results=SEARCH_SIZE)  # noqa: E731
        run_id = search()[0].info.run_id
        get = lambda: client.get_run(run_id)  # noqa: E731
    get()
    return ReadCost(
        store_traces=store_traces,
        search_ns=tuple(_timed(search) for _ in range(repetitions)),
        get_ns=tuple(_timed(get) for _ in range(repetitions)),
    )


def _timed(call: Callable[[], Any]) -> int:
    started = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - started
