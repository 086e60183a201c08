"""The checks in code that come with tracegauge: what passes, what doesn't, and what the rationale tells."""

import json
from typing import Any

import pytest
from mlflow.entities import Trace, TraceData

from tracegauge.judging.code_judges import answer_present, latency_budget, personal_data, tool_errors, valid_json


def tool(error: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "look_up", "type": "TOOL", "error": error, **more}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"outputs": "Yes."}, (True, "4 characters")),
        ({"outputs": " \n "}, (False, "0 characters")),
        ({"outputs": {}}, (False, "0 characters")),
        ({}, (False, "0 characters")),
        ({"outputs": "Yes.", "error": "cut off"}, (False, "the trace ended with an error")),
        ({"outputs": {"messages": [{"type": "ai", "content": "Yes."}, {"type": "tool", "content": "42"}]}},
         (True, "4 characters")),
    ],
)  # fmt: skip
def test_an_answer_is_present(trace: Any, parts: dict[str, Any], expected: tuple[bool, str]) -> None:
    assert answer_present.check(trace(inputs="?", **parts)) == expected


def test_an_answer_can_be_asked_to_be_longer(trace: Any) -> None:
    assert answer_present.check(trace(inputs="?", outputs="Y e s"), minimum_chars=3)[0]
    assert not answer_present.check(trace(inputs="?", outputs="Y e s"), minimum_chars=4)[0]


def test_failed_calls_are_counted_among_tools_alone(trace: Any) -> None:
    steps = [tool(), tool("no network"), tool(), tool("no such page"), {"name": "model", "error": "overloaded"}]
    assert tool_errors.rate(trace(inputs="?", spans=steps)) == (0.5, "2 of 4 tool calls failed")
    assert tool_errors.rate(trace(inputs="?", spans=steps[-1:])) == (0.0, "0 of 0 tool calls failed")


@pytest.mark.parametrize(
    ("outputs", "keys", "expected"),
    [
        ('{"a": 1}', None, (True, "JSON")),
        ({"a": 1}, ["a"], (True, "JSON")),
        ('{"a": 1}', ["a", "b", "c"], (False, "lacks b, c")),
        ("[1]", ["a"], (False, "lacks a")),
        ('{"a": 1} as asked', None, (False, "no JSON: Extra data at character 9")),
        (None, None, (False, "no JSON: Expecting value at character 0")),
    ],
)
def test_an_answer_is_json(trace: Any, outputs: Any, keys: Any, expected: tuple[bool, str]) -> None:
    assert valid_json.check(trace(inputs="?", outputs=outputs), keys) == expected


def test_time_is_kept_by_the_whole_and_by_each_step(trace: Any) -> None:
    steps = [tool(duration_ms=300), {"name": "model", "type": "CHAT_MODEL", "duration_ms": 900}]
    one = trace(inputs="?", outputs="!", spans=steps)
    assert latency_budget.check(one, total_ms=1200) == (True, "1,200 of 1,200 ms")
    assert latency_budget.check(one, total_ms=1199) == (False, "1,200 ms in all, 1,199 ms are allowed")
    assert latency_budget.check(one, steps_ms={"TOOL": 300})[0]
    assert latency_budget.check(one, steps_ms={"TOOL": 299}) == (
        False,
        "look_up took 300 ms, 299 ms are allowed for TOOL",
    )
    unfinished = Trace(info=one.info, data=TraceData(spans=[]))
    assert latency_budget.check(unfinished) == (False, "the trace has no finished root span")
    failed = trace(inputs="?", error="gave up", duration_ms=7)
    assert latency_budget.check(failed) == (False, "ended with an error after 7 ms")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Pay into DE89 3704 0044 0532 0130 00 please.", "found: IBAN"),
        ("DE89370400440532013000", "found: IBAN"),
        ("DE89 3704 0044 0532 0130 01 has a wrong digit.", "none of the known kinds"),
        ("Booking ID12 4539 1488 0343 6467", "found: card number"),  # four blocks after an id are no account's
        ("4539 1488 0343 6467 and me@nordlicht-kolleg.de", "found: card number, email address"),
        ("Our desk: help@shop.de", "none of the known kinds"),
    ],
)
def test_personal_data_is_named_by_its_kind_and_not_repeated(trace: Any, said: str, found: str) -> None:
    one = trace(inputs="?", outputs=json.dumps({"said": said}))
    assert personal_data.check(one, allow=["help@shop.de"]) == (found[0] == "n", found)
