"""Prompts: placeholders take values, everything else stays as it is."""

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.config.placeholders import Placeholder, parse_template

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
)


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@given(st.text())
def test_escaped_text_stays_as_it_is(text: str) -> None:
    template = parse_template(escaped(text))
    assert template.render({}) == text
    assert template.placeholders == ()


@given(st.lists(st.tuples(st.text("ab{}\n ", max_size=5), names, json_values), max_size=5), st.booleans())
def test_values_go_where_their_names_stand(parts: list[tuple[str, str, Any]], of_state: bool) -> None:
    values = {name: value for _, name, value in parts}
    prefix = "state." if of_state else ""
    template = parse_template("".join(f"{escaped(text)}{{{prefix}{name}}}" for text, name, _ in parts))
    assert template.placeholders == tuple(Placeholder((name,), of_state) for _, name, _ in parts)
    assert template.render(values) == "".join(text + shown(values[name]) for text, name, _ in parts)


def shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@given(st.text("ab.{} state", max_size=30) | st.text(max_size=30))
def test_any_text_parses_or_raises_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_template(text).render({"a": "1"})


def test_parts_of_objects() -> None:
    state = {"a": {"b": {"c": "deep"}}, "text": "flat"}
    assert parse_template("{state.a.b.c} {a.b.c} {a.b}").render(state) == 'deep deep {"c": "deep"}'
    assert parse_template("[{a.nothing}{text.part}{ text }]").render(state) == "[flat]"


def test_inputs_go_before_fields_of_the_same_name_unless_state_is_said() -> None:
    template = parse_template("{topic} / {state.topic} / {other}")
    assert template.render({"topic": "of state", "other": 1}, {"topic": "of input"}) == "of input / of state / 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a { b", "a lone '{' at character 3; write '{{'"),
        ("a } b", "a lone '}' at character 3; write '}}'"),
        ("{}", "'{}' is no name"),
        ("{state.}", "'{state.}' is no name"),
        ("{a-b}", "'{a-b}' is no name"),
        ("{a[0]}", "'{a[0]}' is no name"),
        ("{a!r}", "'{a!r}' is no name"),
        ("{a:>10}", "'{a:>10}' is no name"),
        ("{{a}", "a lone '}'"),
        ('{"json": 1}', "is no name"),
    ],
)
def test_what_is_no_prompt(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_template(text)
