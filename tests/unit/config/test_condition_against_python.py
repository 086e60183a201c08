"""Conditions mean what Python makes of the same text, and no text does anything but parse or raise ValueError."""

import contextlib
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracegauge.config.condition import parse_condition

STATE: dict[str, Any] = {
    "score": 0.8,
    "count": 3,
    "done": False,
    "name": "Ada",
    "empty": "",
    "tags": ["a", "b"],
    "missing": None,
    "person": {"age": 36, "city": {"name": "Turin"}},
}
NAMES = ["score", "count", "done", "name", "empty", "tags", "missing", "person.age", "person.city.name"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]

literals = st.one_of(
    st.integers(-100, 100), st.floats(-10, 10, allow_nan=False), st.booleans(), st.none(), st.text("ab'\" ", max_size=4)
)
atoms = st.one_of(
    st.sampled_from(NAMES).map("state.{}".format),
    literals.map(repr),
    st.lists(literals, max_size=3).map(repr),
    st.lists(literals, max_size=3).map(lambda items: repr(tuple(items))),
)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(COMPARISONS), inner).map("({0[0]} {0[1]} {0[2]})".format),
        st.tuples(inner, st.sampled_from(COMPARISONS), inner, st.sampled_from(COMPARISONS), inner).map(
            "({0[0]} {0[1]} {0[2]} {0[3]} {0[4]})".format
        ),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format),
        inner.map("(not {})".format),
        inner.map("(-{})".format),
    )


expressions = st.recursive(atoms, grow, max_leaves=12)


def namespace(value: Any) -> Any:
    return (
        SimpleNamespace(**{key: namespace(part) for key, part in value.items()}) if isinstance(value, dict) else value
    )


@settings(max_examples=200)
@given(expressions)
@example("(state.empty or state.name) == 'Ada'")  # `or` gives an operand, not a truth value
@example("(state.count and state.score) < 1")
@example("(1, 2) == [1, 2]")
@example("1 < 3 < 2")
@example("'' in ''")
def test_means_what_python_makes_of_it(text: str) -> None:
    condition = parse_condition(text)
    try:
        expected = bool(eval(text, {"__builtins__": {}}, {"state": namespace(STATE)}))
    except TypeError:  # such as 1 < "a"
        with pytest.raises(ValueError, match="can't be decided"):
            condition.holds(STATE)
    else:
        assert condition.holds(STATE) is expected


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=40), st.text("state.() notand'\"\\=<>-[]{}1e:,\n\0", max_size=60)))
@example("\0")
@example("state.a if state.b else state.c")
@example("(" * 900)
@example("-" * 999 + "1")
@example("not " * 240 + "state.a")
@example("[" * 90 + "]" * 90)
@example("state" + ".a" * 480)
@example("1" * 999)
@example("state.a == '\\d'")
@example("state.a == 0777")
@example("1if 1else 0")
def test_any_text_parses_or_raises_value_error(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError:
        return
    with contextlib.suppress(ValueError):
        assert condition.holds({"a": 1}) in (True, False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("__import__('os')", "the expression"),
        ("state.name.upper()", "the expression"),
        ("state.tags[0] == 'a'", "the expression"),
        ("[x for x in state.tags]", "the expression"),
        ("lambda: 1", "the expression"),
        ("(a := 1)", "the expression"),
        ("state.count + 1 > 2", "the expression"),
        ("f'{state.name}' == 'Ada'", "the expression"),
        ("{1: 2}", "the expression"),
        ("state.a is None", "the operator"),
        ("score > 1", "state.score"),
        ("state > 1", "'state'"),
        ("b'a' == state.name", "the expression"),
        ("... == state.name", "the expression"),
        ("1j == state.count", "the expression"),
        ("state.score >", "no condition"),
        ("", "no condition"),
        ("state.a = 1", "no condition"),
        ("state.a; state.b", "no condition"),
        ("x" * 1001, "1000 characters"),
    ],
)
def test_what_a_condition_can_not_have(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_condition(text)


def test_a_missing_field_is_none() -> None:
    assert parse_condition("state.nothing == null").holds({})
    assert parse_condition("not state.person.nothing").holds(STATE)
    assert not parse_condition("state.name.first").holds(STATE)


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_truth_values_of_yaml_and_of_python(word: str) -> None:
    assert parse_condition(f"state.done == {word}").holds({"done": True})


def test_reading_paths() -> None:
    condition = parse_condition(
        "state.person.city.name == 'Turin' and not state.done or state.person.age in [1, state.count]"
    )
    assert condition.paths == {("person", "city", "name"), ("done",), ("person", "age"), ("count",)}
