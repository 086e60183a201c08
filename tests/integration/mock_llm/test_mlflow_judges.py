"""MLflow's own judges, and ours that reach a model through MLflow's adapters, ask the mock over real sockets."""

import asyncio
from typing import Any

import pytest
from mlflow.genai.judges import make_judge

from tracegauge.config.judge import LlmJudge
from tracegauge.judging import mlflow_model
from tracegauge.judging.compat import RATIONALE_FIRST
from tracegauge.judging.content import Content
from tracegauge.mock_llm import Fault, MockProcess, MockScript, Rule
from tracegauge.results.judgement import Failed, Judgement, Scored

CONTENT = Content(inputs="How are you?", outputs="Fine.")
YES = {"rationale": "It answers.", "result": True}


@pytest.fixture
def endpoint(start_mock_llm: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a mock where MLflow's provider `openai` will look for one."""

    def start(script: MockScript) -> MockProcess:
        mock: MockProcess = start_mock_llm(script)
        monkeypatch.setenv("OPENAI_BASE_URL", mock.url)
        monkeypatch.setenv("OPENAI_API_BASE", mock.url)
        monkeypatch.setenv("OPENAI_API_KEY", "mock")
        return mock

    return start


def said(**more: Any) -> Judgement:
    spec = LlmJudge.model_validate(
        {
            "schema_version": "1.0",
            "name": "it",
            "kind": "llm",
            "model": "openai:/gpt-4.1-mini",
            "instructions": "Does {{ outputs }} answer {{ inputs }}?",
            **more,
        }
    )
    return asyncio.run(mlflow_model.MlflowModelJudge(spec).judge(CONTENT))


def test_make_judge_takes_the_mock_s_answers(endpoint: Any) -> None:
    rule = Rule(match="Fine", answer={"rationale": "It does.", "result": "yes"})
    mock = endpoint(MockScript(rules=(rule,)))
    more: dict[str, Any] = {"generate_rationale_first": True} if RATIONALE_FIRST else {}
    judge = make_judge(
        name="polite", instructions="Is {{ outputs }} polite?", model="openai:/gpt-4.1-mini", feedback_value_type=str,
        **more,
    )  # fmt: skip
    feedback = judge(outputs="Fine, thank you.")
    assert (feedback.value, feedback.rationale) == ("yes", "It does.")
    assert judge(outputs="Go away.").value, "made up where no rule answers"
    assert mock.stats()["answered"] == 2


def test_a_model_behind_mlflow_s_adapters_gives_a_score(endpoint: Any) -> None:
    endpoint(MockScript(rules=(Rule(answers=({"rationale": "Hm.", "result": "perhaps"}, YES)),)))
    judgement = said()
    assert isinstance(judgement, Scored)
    assert (judgement.value, judgement.rationale, judgement.calls) == (True, "It answers.", 2)
    assert judgement.usage.input_tokens > 0
    assert judgement.latency_ns > 0


@pytest.mark.parametrize(
    ("script", "kind", "calls"),
    [
        (MockScript(rules=(Rule(answer={"rationale": "", "result": "perhaps"}),)), "out_of_type", 2),
        (MockScript(rules=(Rule(answer={"rationale": "no verdict"}),)), "malformed", 2),
        (MockScript(rules=(Rule(answer="I'd rather not say."),)), "malformed", 2),
        (MockScript(faults=(Fault(kind="rate_limited"),)), "rate_limited", 1),
        (MockScript(faults=(Fault(kind="server_error"),)), "server_error", 1),
        (MockScript(api_key="another"), "refused", 1),
        (MockScript(faults=(Fault(kind="hang"),)), "timed_out", 1),
    ],
    ids=["unfit", "no result", "no JSON", "429", "500", "401", "hang"],
)
def test_what_goes_wrong_behind_them_is_a_failure_of_its_kind(
    endpoint: Any, script: MockScript, kind: str, calls: int
) -> None:
    mock = endpoint(script)
    judgement = said(timeout_s=1.5)
    assert isinstance(judgement, Failed)
    assert judgement.kind == kind, judgement.message
    assert mock.stats()["chat_requests"] == calls, "MLflow's own retries are left out"
