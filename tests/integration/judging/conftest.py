import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Trace
from mlflow.tracing.client import TracingClient

from tracegauge.config.judge import JudgeSpec
from tracegauge.config.judge_files import read_judge
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example
from tracegauge.tracking.compat.sql_store import one_transaction


def put(uri: str, traces: Sequence[Trace]) -> None:
    """Store traces as if they had just been recorded, in one transaction."""
    real = TracingClient(uri).store
    now = int(time.time() * 1000)
    with one_transaction(real) as store:
        for number, trace in enumerate(traces):
            trace.info.request_time = now - len(traces) + number
            store.start_trace(trace.info)
            store.log_spans("0", trace.data.spans)


def example(item: str, **parts: Any) -> tuple[Trace, ...]:
    given = {"inputs": f"What is {item}?", "outputs": f"It is {item}.", **parts}
    if "turns" in parts:
        del given["inputs"], given["outputs"]
    return traces_of(Example.model_validate({"item": item, "label": True, "source": "synthetic", **given}))


def spec_of(text: str, **more: Any) -> JudgeSpec:
    """A judge from YAML without the keys that all have."""
    lines = ["schema_version: '1.0'", *(f"{key}: {value}" for key, value in more.items()), text]
    return read_judge(parse_yaml("\n".join(lines), "judge.yaml"))


def llm(url: str, name: str = "good", more: str = "") -> JudgeSpec:
    text = f"kind: llm\ninstructions: 'Is {{{{ outputs }}}} a good answer? ({name})'\n{more}"
    return spec_of(text, name=name, model="openai:/mock-judge", base_url=url)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.db"
    assert TracingClient(f"sqlite:///{path}").store.get_experiment("0")
    return path


@pytest.fixture
def make_store(tmp_path: Path, empty_store: Path) -> Callable[..., str]:
    def make(traces: Sequence[Trace] = ()) -> str:
        path = tmp_path / "mlflow.db"
        path.write_bytes(empty_store.read_bytes())
        uri = f"sqlite:///{path}"
        put(uri, traces)
        return uri

    return make


@pytest.fixture
def traces() -> Callable[..., list[Trace]]:
    """`traces(3)`: so many; `traces("a", outputs=None)`: the one (or the turns) of an example."""

    def make(what: int | str, **parts: Any) -> list[Trace]:
        if isinstance(what, str):
            return list(example(what, **parts))
        return [trace for number in range(what) for trace in example(f"item {number}", **parts)]

    return make


@pytest.fixture
def llm_judge() -> Callable[..., JudgeSpec]:
    return llm


@pytest.fixture
def judge_of() -> Callable[..., JudgeSpec]:
    return spec_of


@pytest.fixture
def store_more() -> Callable[[str, Sequence[Trace]], None]:
    return put
