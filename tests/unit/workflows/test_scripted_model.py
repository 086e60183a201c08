"""The scripted chat model: the same everywhere, and a chat model like any other."""

import asyncio
import subprocess
import sys
import time
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from tracegauge.workflows import ScriptedChatModel

MODEL = ScriptedChatModel()


@tool
def price_of(item: Literal["tea", "cake"], amount: int = 1) -> float:
    """The price of something."""
    return 1.0


@tool
def opening_hours(day: Literal["weekday", "sunday"]) -> str:
    """When we are open."""
    return "never"


class Verdict(BaseModel):
    """What the model makes of a text."""

    good: bool
    score: float = Field(ge=0, le=1)
    reasons: list[str]


class Mood(TypedDict):
    """How somebody feels."""

    mood: Literal["happy", "sad"]


def test_same_prompt_same_answer_in_another_process() -> None:
    code = (
        "from tracegauge.workflows import ScriptedChatModel as M; print(M(seed=7).invoke('Why does bread rise?').text)"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert answers == {ScriptedChatModel(seed=7).invoke("Why does bread rise?").text + "\n"}


@given(st.lists(st.text(max_size=20), min_size=2, max_size=2, unique=True), st.integers(0, 10), st.integers(1, 2000))
def test_answers_depend_on_prompt_and_seed_alone(prompts: list[str], seed: int, length: int) -> None:
    model = ScriptedChatModel(seed=seed, answer_characters=length)
    assert model.invoke(prompts[0]).text == model.invoke(prompts[0]).text
    assert len(model.invoke(prompts[0]).text) == length


def test_other_prompts_and_seeds_give_other_answers() -> None:
    answers = {ScriptedChatModel(seed=seed).invoke(f"question {i}").text for seed in range(5) for i in range(20)}
    assert len(answers) > 95, "of 100; two may begin at the same word"


def test_a_conversation_is_more_than_its_last_message() -> None:
    alone = MODEL.invoke([HumanMessage("and now?")])
    after = MODEL.invoke([SystemMessage("be brief"), HumanMessage("and now?")])
    assert alone.text != after.text


def test_messages_have_ids_of_their_own() -> None:
    # Messages of the same id replace each other in LangGraph's message state.
    assert MODEL.invoke("a").id != MODEL.invoke("a").id


def test_tokens_are_a_fourth_of_the_characters_rounded_up() -> None:
    # The prompt is "human: 12345" = 12 characters = 3 tokens; the answer's 9 characters = 3 tokens.
    assert ScriptedChatModel(answer_characters=9).invoke("12345").usage_metadata == {
        "input_tokens": 3,
        "output_tokens": 3,
        "total_tokens": 6,
    }


def test_max_tokens_cuts_the_answer() -> None:
    cut, whole = ScriptedChatModel(max_tokens=5).invoke("a"), MODEL.invoke("a")
    assert cut.text == whole.text[:20]
    assert cut.response_metadata["finish_reason"] == "length"
    assert whole.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize("characters", [1, 7, 8, 9, 400])
def test_streaming_gives_the_same_message_in_pieces(characters: int) -> None:
    model = ScriptedChatModel(answer_characters=characters)
    chunks = list(model.stream("a"))
    assert len(chunks) == min(characters, 8)
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    answer = model.invoke("a")
    assert whole.text == answer.text
    assert whole.usage_metadata == answer.usage_metadata
    assert whole.response_metadata == answer.response_metadata
    assert {chunk.id for chunk in chunks} == {whole.id}


def test_asynchronous_calls_give_the_same() -> None:
    async def streamed() -> AIMessageChunk:
        chunks = [chunk async for chunk in MODEL.astream("a")]
        assert len(chunks) == 8
        return sum(chunks[1:], chunks[0])

    assert asyncio.run(MODEL.ainvoke("a")).text == MODEL.invoke("a").text == asyncio.run(streamed()).text


def test_a_bound_tool_is_called_once_per_question() -> None:
    model = MODEL.bind_tools([price_of, opening_hours])
    messages: list[Any] = [HumanMessage("How much is tea?")]
    for _ in range(3):  # three questions, one after the other
        asked = model.invoke(messages)
        assert asked.text == ""
        (call,) = asked.tool_calls
        assert asked.response_metadata["finish_reason"] == "tool_calls"
        used = {"price_of": price_of, "opening_hours": opening_hours}[call["name"]]
        result = used.invoke(call)  # raises where the arguments don't fit
        assert isinstance(result, ToolMessage)
        answer = model.invoke([*messages, asked, result])
        assert answer.text
        assert not answer.tool_calls
        messages += [asked, result, answer, HumanMessage("And what else?")]


def test_every_tool_has_its_turn() -> None:
    model = MODEL.bind_tools([price_of, opening_hours])
    called = {model.invoke(f"question {i}").tool_calls[0]["name"] for i in range(20)}
    assert called == {"price_of", "opening_hours"}


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("price_of", {"price_of"}),
        ("any", {"price_of", "opening_hours"}),
        ("required", {"price_of", "opening_hours"}),
        ("none", set()),
        (None, {"price_of", "opening_hours"}),
    ],
)
def test_tool_choice(choice: str | None, names: set[str]) -> None:
    model = MODEL.bind_tools([price_of, opening_hours], tool_choice=choice)
    assert {call["name"] for i in range(20) for call in model.invoke(f"question {i}").tool_calls} == names


def test_tool_calls_are_streamed() -> None:
    chunks = list(MODEL.bind_tools([price_of]).stream("How much?"))
    whole = sum(chunks[1:], chunks[0])
    asked = MODEL.bind_tools([price_of]).invoke("How much?")
    assert isinstance(whole, AIMessageChunk)
    assert whole.tool_calls == asked.tool_calls
    assert whole.usage_metadata == asked.usage_metadata


def test_structured_output() -> None:
    verdict = MODEL.with_structured_output(Verdict).invoke("Is this good?")
    assert isinstance(verdict, Verdict)
    mood = MODEL.with_structured_output(Mood).invoke("How are you?")
    assert mood["mood"] in ("happy", "sad")  # type: ignore[index]
    schema = {"title": "size", "description": "A size", "type": "object", "properties": {"size": {"type": "integer"}}}
    assert isinstance(MODEL.with_structured_output(schema).invoke("How big?")["size"], int)  # type: ignore[index]
    both = MODEL.with_structured_output(Verdict, include_raw=True).invoke("Is this good?")
    assert both["parsed"] == verdict  # type: ignore[index]
    assert isinstance(both["raw"], AIMessage)  # type: ignore[index]


def test_latency_is_waited_for() -> None:
    model = ScriptedChatModel(latency_ms=50)
    started = time.perf_counter()
    model.invoke("a")
    list(model.stream("a"))
    asyncio.run(model.ainvoke("a"))
    assert time.perf_counter() - started >= 0.15


def test_latency_distribution() -> None:
    model = ScriptedChatModel(latency_ms=200, latency_sigma=0.5)
    latencies = sorted(model._answer([HumanMessage(f"question {i}")], {})[1] for i in range(2000))
    # Log-normal with median 0.2 s: the 16th and 84th percentile are a factor exp(0.5) = 1.65 away.
    assert latencies[1000] == pytest.approx(0.2, rel=0.05)
    assert latencies[320] == pytest.approx(0.2 / 1.65, rel=0.08)
    assert latencies[1680] == pytest.approx(0.2 * 1.65, rel=0.08)
    assert model._answer([HumanMessage("a")], {})[1] == model._answer([HumanMessage("a")], {})[1]


def test_tracers_are_told_the_model() -> None:
    seen: dict[str, Any] = {}

    from langchain_core.callbacks import BaseCallbackHandler

    class Listener(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            seen.update(kwargs)

    ScriptedChatModel(model_name="small").invoke("a", {"callbacks": [Listener()]})
    assert seen["invocation_params"]["model"] == "small"
    assert seen["metadata"]["ls_model_name"] == "small"
