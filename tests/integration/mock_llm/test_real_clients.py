"""Real clients take the mock for OpenAI's API: over real sockets, through the packages that graphs and judges use."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain.chat_models import init_chat_model
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from tracegauge.cli.app import app
from tracegauge.mock_llm import MockProcess, MockScript, Rule

PARIS = MockScript(rules=(Rule(match="capital", answer="Paris, on the Seine, which is said to be worth a visit."),))


class Verdict(BaseModel):
    """What a judge could be asked for."""

    reason: str
    stars: int = Field(ge=1, le=5)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture
def chat(mock_llm: MockProcess) -> Any:
    return init_chat_model("openai:gpt-4.1-mini", base_url=mock_llm.url, api_key="mock")


def test_langchain_chats_and_streams_the_same(start_mock_llm: Any) -> None:
    paris = start_mock_llm(PARIS)
    model = init_chat_model("openai:gpt-4.1-mini", base_url=paris.url, api_key="mock", stream_usage=True)
    whole = model.invoke("What is the capital of France?")
    assert whole.content == PARIS.rules[0].answer
    assert whole.response_metadata["model_name"] == "mock-gpt-4.1-mini"
    chunks = list(model.stream("What is the capital of France?"))
    assert len([one for one in chunks if one.content]) > 1, "in pieces"
    together = sum(chunks[1:], chunks[0])
    assert together.content == whole.content
    assert together.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"] > 10
    assert paris.stats() == {"chat_requests": 2, "answered": 2}


def test_langchain_s_tools_are_called_and_their_results_are_heard(chat: Any) -> None:
    model = chat.bind_tools([add])
    asked = HumanMessage("How much is that together?")
    called = model.invoke([asked])
    (call,) = called.tool_calls
    assert call["name"] == "add"
    result = add.invoke(call)
    assert isinstance(result, ToolMessage)
    assert str(call["args"]["a"] + call["args"]["b"]) == result.content
    assert result.content in model.invoke([asked, called, result]).content
    streamed = list(model.stream([asked]))
    (heard,) = sum(streamed[1:], streamed[0]).tool_calls
    assert (heard["name"], {type(value) for value in heard["args"].values()}) == ("add", {int})


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_langchain_s_structured_output_fits(chat: Any, method: str) -> None:
    verdict = chat.with_structured_output(Verdict, method=method).invoke("How good is the answer 'Paris'?")
    assert isinstance(verdict, Verdict)
    assert 1 <= verdict.stars <= 5


def test_the_openai_client_chats_streams_and_embeds(start_mock_llm: Any) -> None:
    paris = start_mock_llm(PARIS.model_copy(update={"api_key": "right"}))
    client = openai.OpenAI(base_url=paris.url, api_key="right", max_retries=0)
    asked: Any = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "The capital of France?"}]}
    whole = client.chat.completions.create(**asked)
    assert (whole.model, whole.choices[0].finish_reason) == ("mock-gpt-4.1-mini", "stop")
    pieces = [one.choices[0].delta.content or "" for one in client.chat.completions.create(**asked, stream=True)]
    assert "".join(pieces) == whole.choices[0].message.content == PARIS.rules[0].answer
    texts = ["the mill", "the tannery", "the mill"]
    mill, tannery, again = (
        one.embedding for one in client.embeddings.create(model="text-embedding-3-small", input=texts).data
    )
    assert mill == again != tannery
    assert len(mill) == len(tannery) > 1
    assert sum(one * one for one in mill) == pytest.approx(1, abs=1e-3)
    with pytest.raises(openai.AuthenticationError, match="incorrect API key"):
        client.with_options(api_key="wrong").chat.completions.create(**asked)


def test_a_workflow_of_the_provider_openai_runs_on_the_mock(
    mock_llm: MockProcess, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "mock")
    before = mock_llm.stats().get("answered", 0)
    Path("flow.yaml").write_text(f"""
schema_version: "1.0"
flow: {{name: question}}
state:
  fields:
    question: {{type: str, required: true}}
    answer: {{type: str, default: ""}}
nodes:
  - id: reply
    prompt: "Answer in a sentence: {{question}}"
    outputs: [answer]
edges: [{{from: START, to: reply}}, {{from: reply, to: END}}]
config:
  llm: {{provider: openai, model: gpt-4.1-mini, api_base: "{mock_llm.url}"}}
""")
    command = ["run", "flow.yaml", "--input", "question=Is the ferry free?", "--json"]
    done = CliRunner().invoke(app, command, standalone_mode=False, catch_exceptions=False)
    assert json.loads(done.stdout)["answer"].startswith("A mock model answers to “Answer in a sentence: Is")
    assert mock_llm.stats()["answered"] == before + 1


@pytest.fixture
def bad_day(workdir: Path) -> Iterator[MockProcess]:
    """The mock as the command's help starts it, from any folder."""
    command = [sys.executable, "-m", "tracegauge", "mock-llm", "--port", "0"]
    command += ["--script", "examples/mock_llm/faults.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield MockProcess(process.stdout.readline().split()[-1], process.pid)
        finally:
            process.terminate()


def test_the_script_of_faults_that_comes_along_does_what_it_says(bad_day: MockProcess) -> None:
    met: Counter[str] = Counter()
    with httpx.Client(base_url=bad_day.url, timeout=0.5) as http:
        for number in range(200):
            body = {"model": "m", "messages": [{"role": "user", "content": f"{number}: capital of France?"}]}
            try:
                answer = http.post("/chat/completions", json=body)
            except httpx.TimeoutException:
                met["hang"] += 1
            except httpx.TransportError:
                met["reset"] += 1
            else:
                met[str(answer.status_code)] += 1
                if answer.status_code == 429:
                    assert answer.headers["retry-after"] == "1"
    counted = bad_day.stats()
    assert (met["429"], met["500"]) == (counted["rate_limited"], counted["server_error"])
    assert (met["hang"], met["reset"]) == (counted["hang"], counted["reset"])
    # 40 of 200 expected, standard deviation 5.7: four of those on either side. The same ones every time.
    assert 17 <= 200 - counted["answered"] + counted["malformed_json"] + counted["wrong_type"] <= 63
