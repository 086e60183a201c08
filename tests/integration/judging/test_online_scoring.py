"""On a real MLflow server: judges are started over its gateway, and its online scoring and ours say the same."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import httpx
import mlflow
import pytest
from langgraph.graph import END, START, StateGraph
from mlflow.genai.scorers import get_scorer
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.config.judge import load_judges
from tracegauge.judging.build import build_judge
from tracegauge.mock_llm import MockScript, Rule
from tracegauge.results.judgement import Scored

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

TRACES = 8
PATIENCE_S = 130  # it looks once a minute, and a job takes seconds to start
SETTINGS = {
    "MLFLOW_CRYPTO_KEK_PASSPHRASE": "only for this test",
    "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "https,http",
    "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_ONLINE_SCORING_DEFAULT_TRACE_COMPLETION_BUFFER_SECONDS": "0",
    "MLFLOW_ONLINE_SCORING_DEFAULT_SESSION_COMPLETION_BUFFER_SECONDS": "0",
}
# A verdict depends on what was answered, so that two who judge the same content can be held against each other.
SCRIPT = MockScript(
    rules=(
        Rule(match="number [0-9]*[02468] of them", answer={"rationale": "An even one.", "result": True}),
        Rule(match="number [0-9]+ of them", answer={"rationale": "An odd one.", "result": False}),
    )
)
JUDGES = {
    "helpful": "model: gateway:/judge-model\ninstructions: Does {{ outputs }} answer {{ inputs }}?\n",
    "on_errors": "model: gateway:/judge-model\ninstructions: Is {{ outputs }} polite?\n"
    "sampling: {rate: 0.5, filter: \"trace.status = 'ERROR'\"}\n",
    "at_rest": "model: gateway:/judge-model\ninstructions: Is {{ outputs }} true?\nsampling: {rate: 0}\n",
    "no_gateway": "model: openai:/gpt-4.1-mini\ninstructions: Is {{ outputs }} short?\n",
    "expecting": "model: gateway:/judge-model\ninstructions: Is {{ outputs }} as {{ expectations }} says?\n",
}


class Talk(TypedDict):
    """State of the graph that is judged."""

    question: str
    answer: str


@pytest.fixture
def server(
    running_server: Any, start_mock_llm: Any, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Any]]:
    """An MLflow server whose gateway endpoint `judge-model` leads to a mock LLM, and the mock."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENAI_API_KEY", "mock")
    mock = start_mock_llm(SCRIPT)
    with running_server(workdir / "mlflow.db") as running:
        _make_endpoint(running.uri, mock.url)
        mlflow.set_tracking_uri(running.uri)
        yield running, mock


def _make_endpoint(uri: str, mock_url: str) -> None:
    with httpx.Client(base_url=f"{uri}/api/3.0/mlflow/gateway/", timeout=60) as http:

        def create(what: str, **body: Any) -> dict[str, Any]:
            answer = http.post(f"{what}/create", json=body)
            assert answer.status_code == httpx.codes.OK, answer.text
            return dict(answer.json())

        secret = create(
            "secrets",
            secret_name="mock",
            secret_value={"api_key": "mock"},
            provider="openai",
            auth_config={"api_base": mock_url},
        )["secret"]
        model = create(
            "model-definitions",
            name="mock",
            secret_id=secret["secret_id"],
            provider="openai",
            model_name="gpt-4.1-mini",
        )["model_definition"]
        link = {"model_definition_id": model["model_definition_id"], "linkage_type": "PRIMARY", "weight": 1.0}
        create("endpoints", name="judge-model", model_configs=[link], usage_tracking=False)


def _trace_the_graph(experiment: str) -> None:
    graph = StateGraph(Talk)
    graph.add_node("reply", lambda state: {"answer": f"This is number {state['question'].split()[-1]} of them."})
    graph.add_edge(START, "reply")
    graph.add_edge("reply", END)
    compiled = graph.compile()
    mlflow.set_experiment(experiment)
    mlflow.langchain.autolog()
    for number in range(TRACES):
        compiled.invoke({"question": f"What is number {number}", "answer": ""})
    mlflow.flush_trace_async_logging()
    mlflow.langchain.autolog(disable=True)


def _scored_by_mlflow(experiment_id: str, name: str) -> dict[str, Any]:
    """Value by trace id."""
    traces = mlflow.search_traces(locations=[experiment_id], return_type="list", include_spans=False)
    return {
        trace.info.trace_id: one.feedback.value
        for trace in traces
        for one in trace.info.assessments
        if one.name == name and one.feedback is not None and one.feedback.error is None
    }


def _scored_by_us(spec: Any, traces: list[Any]) -> dict[str, Any]:
    async def judged() -> dict[str, Any]:
        async with httpx.AsyncClient() as http:
            ours = build_judge(spec, {}, http)
            try:
                said = {trace.info.trace_id: await ours.judge(ours.content([trace])) for trace in traces}
            finally:
                await ours.aclose()
        assert all(isinstance(one, Scored) and one.mock for one in said.values()), said
        return {trace_id: one.value for trace_id, one in said.items() if isinstance(one, Scored)}

    return asyncio.run(judged())


def test_mlflow_s_online_scoring_and_ours_agree_and_a_refused_start_leaves_nothing(
    server: tuple[Any, Any], workdir: Path
) -> None:
    running, mock = server
    (workdir / "judges").mkdir()
    for name, text in JUDGES.items():
        (workdir / "judges" / f"{name}.yaml").write_text(f'schema_version: "1.0"\nkind: llm\nname: {name}\n{text}')
    experiment_id = mlflow.create_experiment("support")

    command = ["apply", "judges", "--store", running.uri, "--experiment", "support", "--start"]
    applied = CliRunner().invoke(judge, command, standalone_mode=False, catch_exceptions=False)
    told = {line.split()[1]: line for line in applied.output.splitlines() if line[:1] in "+✗"}
    assert applied.return_value == 1, "three of the five were refused"
    for name in ("helpful", "on_errors"):
        assert told[name].startswith(f"+ {name} new, started: digest ")
    for name in ("no_gateway", "expecting", "at_rest"):
        assert told[name].startswith(f"✗ {name} failed: MLflow refused to start it: ")
        assert told[name].endswith("version 1, which was registered for it, is deleted again")
        with pytest.raises(Exception, match="not found"):
            get_scorer(name=name, experiment_id=experiment_id)
    assert get_scorer(name="helpful", experiment_id=experiment_id).sample_rate == 1
    started = get_scorer(name="on_errors", experiment_id=experiment_id)
    assert (started.sample_rate, started.filter_string) == (0.5, "trace.status = 'ERROR'")

    _trace_the_graph("support")
    traces = mlflow.search_traces(locations=[experiment_id], return_type="list")
    assert len(traces) == TRACES
    ours = _scored_by_us(load_judges(["judges"])["helpful"], traces)
    assert ours.keys() == {trace.info.trace_id for trace in traces}
    assert sorted(ours.values()) == [False] * (TRACES // 2) + [True] * (TRACES // 2)
    asked_by_us = mock.stats()["answered"]
    assert asked_by_us == TRACES, "through the gateway, once each"

    deadline, theirs = time.monotonic() + PATIENCE_S, dict[str, Any]()
    while len(theirs) < TRACES and time.monotonic() < deadline:
        time.sleep(1)
        theirs = _scored_by_mlflow(experiment_id, "helpful")
    assert theirs, "MLflow scored nothing: see server.log"
    assert theirs == {trace_id: ours[trace_id] for trace_id in theirs}
    assert mock.stats()["answered"] > asked_by_us
    assert _scored_by_mlflow(experiment_id, "on_errors") == {}
