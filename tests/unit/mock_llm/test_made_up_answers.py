"""Without a rule for it, a request gets an answer that fits it: the schema, the tools, or what the prompt asks for."""

import json
from typing import Any

import pytest

from tracegauge.mock_llm.answers import Answer, Answers
from tracegauge.mock_llm.bodies import completion, embeddings, events
from tracegauge.mock_llm.faults import Faults
from tracegauge.mock_llm.requests import ChatRequest, chat_request, mock_name
from tracegauge.mock_llm.script import Fault, MockScript, Rule

TOOL = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
}


def request(text: str = "Hello", **more: Any) -> ChatRequest:
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": text}], **more}
    return chat_request(json.dumps(body).encode())


def answer(script: MockScript | None = None, text: str = "Hello", **more: Any) -> Answer:
    return Answers(script or MockScript()).to(request(text, **more))


def with_schema(**properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}}


@pytest.mark.parametrize(
    ("part", "fits"),
    [
        ({"type": "boolean"}, lambda value: value in (True, False)),
        ({"enum": ["a", "b"]}, lambda value: value in ("a", "b")),
        ({"type": "integer", "minimum": 1, "maximum": 5}, lambda value: value in range(1, 6)),
        ({"type": "number", "minimum": 0, "maximum": 1}, lambda value: 0 <= value <= 1),
        ({"type": "string"}, lambda value: "mock" in value),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, lambda value: isinstance(value, int)),
        ({"type": "array", "items": {"const": 7}}, lambda value: value == [7]),
    ],
)
def test_a_value_fits_the_schema(part: dict[str, Any], fits: Any) -> None:
    for number in range(50):
        made = json.loads(answer(text=f"question {number}", **with_schema(result=part)).text)
        assert fits(made["result"]), made


def test_verdicts_are_positive_as_often_as_the_script_says() -> None:
    said = [
        json.loads(answer(MockScript(positive_rate=0.3), f"{n}", **with_schema(result={"type": "boolean"})).text)
        for n in range(1000)
    ]
    # 300 of 1000 expected, standard deviation 14.5; six of those on either side.
    assert 213 < sum(one["result"] for one in said) < 387


def test_a_prompt_that_asks_for_a_result_gets_one() -> None:
    made = json.loads(answer(text='Reply as {"rationale": "...", "result": "relevant|irrelevant"}').text)
    assert made["result"] in ("relevant", "irrelevant")


def test_a_tool_is_called_once_and_its_result_is_told() -> None:
    called = answer(tools=[TOOL])
    assert [call.name for call in called.tool_calls] == ["add"]
    assert isinstance(called.tool_calls[0].arguments["a"], int)
    messages = [{"role": "user", "content": "2+3?"}, {"role": "tool", "content": "5", "tool_call_id": "x"}]
    assert answer(tools=[TOOL], messages=messages).text == "The tools say: 5"
    assert not answer(tools=[TOOL], tool_choice="none").tool_calls


def test_rules_go_first_and_answers_come_in_turn() -> None:
    script = MockScript(rules=(Rule(match="capital", answers=("Paris", {"city": "Rome"})), Rule(answer="else")))
    answers = Answers(script)
    said = [answers.to(request(text)).text for text in ("the capital?", "a capital", "capital", "hello")]
    assert said == ["Paris", '{"city": "Rome"}', '{"city": "Rome"}', "else"]


def test_equal_requests_get_equal_answers_and_a_seed_changes_them() -> None:
    rule = with_schema(result={"type": "integer", "minimum": 0, "maximum": 10**9})
    assert answer(**rule) == answer(**rule)
    assert answer(MockScript(seed=1), **rule) != answer(**rule)


def test_a_stream_says_the_same_as_the_whole() -> None:
    asked = request("x" * 300, stream_options={"include_usage": True})
    made = Answers(MockScript()).to(asked)
    *chunks, done = [event.removeprefix(b"data: ").strip() for event in events(asked, made)]
    assert done == b"[DONE]"
    parts = [json.loads(chunk) for chunk in chunks]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in parts if one["choices"])
    whole = completion(asked, made)
    assert text == whole["choices"][0]["message"]["content"] == made.text
    assert parts[-1]["usage"] == whole["usage"]
    assert {one["model"] for one in (*parts, whole)} == {"mock-gpt-4.1-mini"}


def test_names_say_mock() -> None:
    assert [mock_name(name) for name in ("gpt-4o", "mock-gpt-4o", "mock", "")] == [
        "mock-gpt-4o",
        "mock-gpt-4o",
        "mock",
        "mock",
    ]
    assert embeddings({"input": "x", "model": "ada"})["model"] == "mock-ada"


def test_faults_meet_their_share_of_requests_whatever_their_order() -> None:
    script = MockScript(faults=(Fault(kind="server_error", rate=0.2), Fault(kind="rate_limited", rate=0.1)))
    requests = [request(str(number)) for number in range(2000)]
    forwards, backwards = Faults(script), Faults(script)
    met = [forwards.of(one) for one in requests]
    assert [backwards.of(one) for one in reversed(requests)] == met[::-1]
    kinds = [fault.kind for fault in met if fault]
    # Standard deviations 17.9 and 13.4; five of those on either side.
    assert 310 < kinds.count("server_error") < 490
    assert 133 < kinds.count("rate_limited") < 267


def test_a_fault_can_meet_only_the_first_time_a_request_comes() -> None:
    faults = Faults(MockScript(faults=(Fault(kind="hang", first=2, match="slow"),)))
    assert [bool(faults.of(request("slow"))) for _ in range(4)] == [True, True, False, False]
    assert faults.of(request("quick")) is None


def test_a_script_of_impossible_rates_or_patterns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"add up to 1\.1"):
        MockScript(faults=(Fault(kind="hang", rate=0.6), Fault(kind="reset", rate=0.5)))
    with pytest.raises(ValueError, match="no regular expression"):
        Rule(match="(")
