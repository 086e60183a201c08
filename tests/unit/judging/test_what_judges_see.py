"""What of a trace reaches a judge: the part of inputs and outputs that `extract` names, and the trace as a text."""

from typing import Any

import pytest

from tracegauge.config.judge_fields import Extract
from tracegauge.judging.extract import expectations_text, inputs_text, outputs_text
from tracegauge.judging.seeing import not_judgeable, see
from tracegauge.judging.trace_text import trace_text

TALK = [
    {"type": "system", "content": "Be brief."},
    {"type": "human", "content": "Is the ferry free?"},
    {"type": "ai", "content": "", "tool_calls": [{"name": "look_up", "args": {}}]},
    {"type": "tool", "content": "Free with a guest card."},
    {"type": "ai", "content": "With a guest card it is."},
]
OPENAI = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]
SERIALIZED = [
    {"lc": 1, "type": "constructor", "id": ["HumanMessage"], "kwargs": {"type": "human", "content": "Hi"}},
    {"lc": 1, "type": "constructor", "id": ["AIMessage"], "kwargs": {"type": "ai", "content": "Hello"}},
]


@pytest.mark.parametrize(
    ("value", "asked", "answered"),
    [
        ("Hi", "Hi", "Hi"),
        ({"messages": TALK}, "Is the ferry free?", "With a guest card it is."),
        (TALK[:4], "Is the ferry free?", None),  # a call of a tool is no answer
        (OPENAI, "Hi", "Hello"),
        ({"history": SERIALIZED, "steps": 3}, "Hi", "Hello"),
        ([["human", "Hi"], ["ai", "Hello"]], "Hi", "Hello"),
        ({"question": "Hi", "n": 1}, '{"question": "Hi", "n": 1}', '{"question": "Hi", "n": 1}'),
        (["a", "b"], '["a", "b"]', '["a", "b"]'),
        ("  ", None, None),
        ({}, None, None),
    ],
)
def test_by_itself_a_judge_sees_the_last_question_and_the_last_answer(
    trace: Any, value: Any, asked: str | None, answered: str | None
) -> None:
    one = trace(inputs=value, outputs=value)
    assert (inputs_text(one), outputs_text(one)) == (asked, answered)


def test_where_two_talks_could_be_meant_it_sees_both(trace: Any) -> None:
    both = trace(inputs={"one": OPENAI, "other": TALK})
    assert inputs_text(both) == inputs_text(both, "all")
    assert "ferry" in inputs_text(both)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("messages.0.content", "Be brief."),
        ("messages.-2.content", "Free with a guest card."),
        ("messages.2.tool_calls.0.args", None),  # empty
        ("messages.9.content", None),
        ("messages.content", None),
        ("nothing.at.all", None),
        ("count", "0"),
    ],
)
def test_a_path_names_any_other_part(trace: Any, path: str, found: str | None) -> None:
    assert outputs_text(trace(inputs="?", outputs={"messages": TALK, "count": 0}), path) == found


def test_expectations_are_seen_by_name(trace: Any) -> None:
    assert expectations_text(trace(inputs="?", expectations={"answer": "41 km", "n": 2})) == (
        '{"answer": "41 km", "n": 2}'
    )
    assert expectations_text(trace(inputs="?")) is None


@pytest.fixture
def steps(trace: Any) -> Any:
    """A trace with a search, a call of a tool that fails, and a model."""
    spans = [
        {"name": "search", "type": "RETRIEVER", "inputs": {"q": "ferry"}, "outputs": ["x" * 4000], "duration_ms": 12},
        {"name": "book", "type": "TOOL", "inputs": {"seats": 2}, "error": "no seats left", "duration_ms": 3},
        {"name": "model", "type": "CHAT_MODEL", "outputs": "Sorry.", "duration_ms": 250},
    ]
    return trace(inputs="Book the ferry", outputs="Sorry.", spans=spans)


def test_a_trace_is_told_as_a_tree_in_order(steps: Any) -> None:
    assert trace_text(steps, (), 100_000) == "\n".join(
        [
            "- example [AGENT, OK, 265 ms]",
            "  inputs: Book the ferry",
            "  outputs: Sorry.",
            "  - search [RETRIEVER, OK, 12 ms]",
            '    inputs: {"q": "ferry"}',
            f'    outputs: ["{"x" * 4000}"]',
            "  - book [TOOL, ERROR, 3 ms]",
            '    inputs: {"seats": 2}',
            "  - model [CHAT_MODEL, OK, 250 ms]",
            "    outputs: Sorry.",
        ]
    )


def test_spans_of_some_types_stand_by_themselves(steps: Any) -> None:
    assert trace_text(steps, ("TOOL", "CHAT_MODEL"), 100_000) == "\n".join(
        [
            "- book [TOOL, ERROR, 3 ms]",
            '  inputs: {"seats": 2}',
            "- model [CHAT_MODEL, OK, 250 ms]",
            "  outputs: Sorry.",
        ]
    )
    assert trace_text(steps, ("EMBEDDING",), 100_000) is None


def test_values_are_shortened_as_little_as_needed_and_it_is_told(steps: Any) -> None:
    text = trace_text(steps, (), 2000)
    assert 1000 < len(text) <= 2000
    assert "characters left out …]" in text
    assert text.count("…]") == 1, "the short values stay whole"
    tiny = trace_text(steps, (), 100)
    assert "Sorry." in tiny, "spans are never dropped, even where the whole is too long"


def test_what_is_missing_or_too_long_is_no_judgement(steps: Any, trace: Any) -> None:
    extract = Extract(span_types=("RETRIEVER",), max_chars=300)
    seen = see([steps], {"inputs", "trace"}, extract)
    assert (seen.outputs, seen.inputs) == (None, "Book the ferry")
    assert not_judgeable(seen, {"inputs", "trace"}, 300) is None, "the trace was cut to fit"
    lacking = not_judgeable(see([trace(inputs="?")], {"trace"}, extract), {"trace"}, 300)
    assert (lacking.kind, lacking.message) == ("no_content", "the trace has no spans of the wanted types")
    assert lacking.final
    unlabelled = not_judgeable(see([trace(inputs="?")], {"expectations"}, extract), {"expectations"}, 300)
    assert (unlabelled.kind, unlabelled.final) == ("no_expectations", False), "people may write them down later"
    long = see([trace(inputs="?" * 301)], {"inputs"}, extract)
    assert not_judgeable(long, {"inputs"}, 300).kind == "too_large", "inputs are judged whole or not at all"


def test_a_conversation_is_told_turn_by_turn(trace: Any) -> None:
    turns = [trace(inputs="Hi", outputs="Hello"), trace(inputs="Still there?"), trace(inputs="Bye", outputs="Bye!")]
    seen = see(turns, {"conversation"}, Extract())
    assert seen.conversation == "user: Hi\n\nassistant: Hello\n\nuser: Still there?\n\nuser: Bye\n\nassistant: Bye!"
    assert see(turns[1:2], {"conversation"}, Extract()).conversation is None
