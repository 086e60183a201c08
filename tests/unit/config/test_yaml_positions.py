"""YAML is read as YAML 1.2's core schema has it, and every part of it is found again in the text."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracegauge.config.errors import ConfigError
from tracegauge.config.yaml_12 import Loader
from tracegauge.config.yaml_file import KeyPath, parse_yaml

keys = st.one_of(
    st.text("abcdefg_", min_size=1, max_size=6), st.sampled_from(["off", "yes", "1", "a b", "ä", "x: y", "#", "''"])
)
scalars = st.one_of(
    st.integers(-(10**6), 10**6),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12),
    st.sampled_from(["off", "on", "yes", "no", "1.0", "true", "multiple\nlines\n", "- a", "{b}", "2026-02-02"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)
documents = st.dictionaries(keys, values, min_size=1, max_size=5)


class Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.2 would read as something else, such as 0E0."""

    yaml_implicit_resolvers = Loader.yaml_implicit_resolvers


def paths(data: Any, path: KeyPath = ()) -> list[KeyPath]:
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(below for key, child in children for below in paths(child, (*path, key)))]


@settings(max_examples=60)
@given(documents, st.sampled_from([True, False, None]), st.integers(2, 6), st.sampled_from([20, 80, 1000]))
@example({"a": {"b": [{"c": 1}, {"c": 2}]}}, None, 2, 80)
@example({"off": "off", "on": ["yes", "no"]}, False, 2, 80)
def test_data_and_positions(data: dict[str, Any], flow: bool | None, indent: int, width: int) -> None:
    text = yaml.dump(
        data, Dumper=Dumper, default_flow_style=flow, indent=indent, width=width, allow_unicode=True, sort_keys=False
    )
    document = parse_yaml(text, "any.yaml")
    assert document.data == data
    lines = text.splitlines(keepends=True)
    for path in paths(data)[1:]:
        assert path in document.values
        place = document.position(path, of_key=True)
        here = "".join(lines[place.line - 1 :])[place.column - 1 :]
        if isinstance(path[-1], str):
            # What stands there is the key, however it is quoted: the text from there on begins with it.
            assert next(_scalars(here)) == path[-1], (path, place)


def _scalars(text: str) -> Any:
    """The scalars of a text that may break off like the rest of a flow mapping does."""
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            yield token.value


@pytest.mark.parametrize("word", ["off", "on", "yes", "no", "Off", "NO", "y", "n"])
def test_words_stay_words(word: str) -> None:
    assert parse_yaml(f"instrument: {word}\n", "x.yaml").data == {"instrument": word}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None)]
)
def test_truth_values_and_nothing(text: str, value: object) -> None:
    assert parse_yaml(f"a: {text}\n", "x.yaml").data == {"a": value}


def test_positions_by_hand() -> None:
    document = parse_yaml(
        "flow:\n"  # 1
        "  name: x\n"  # 2
        "nodes:\n"  # 3
        "  - id: a\n"  # 4
        "    outputs: [b,\n"  # 5
        "      c]\n"  # 6
        "  - {id: d, outputs: [e]}\n",  # 7
        "x.yaml",
    )

    def at(*path: str | int, of_key: bool = False) -> tuple[int, int]:
        place = document.position(path, of_key=of_key)
        return place.line, place.column

    assert at("flow", "name", of_key=True) == (2, 3)
    assert at("flow", "name") == (2, 9)
    assert at("nodes", 0) == (4, 5)
    assert at("nodes", 0, "outputs", 0) == (5, 15)
    assert at("nodes", 0, "outputs", 1) == (6, 7)
    assert at("nodes", 1, "outputs", of_key=True) == (7, 13)
    assert at("nodes", 1, "outputs", 0) == (7, 23)
    assert at("nodes", 1, "prompt") == (7, 5), "for what isn't there: what is around it"
    assert at("nothing", "at", "all") == (1, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, 1, "empty"),
        ("# only a comment\n", 1, 1, "empty"),
        ("- a\n- b\n", 1, 1, "a list, not a mapping"),
        ("just words\n", 1, 1, "not a mapping"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is given twice"),
        ("a: {b: 1, b: 2}\n", 1, 11, "'b' is given twice"),
        ("a: 1\n 2: b\n", 2, 3, "not YAML"),
        ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
        ("a: 'x\n", 2, 1, "not YAML"),
        ("a: *nothing\n", 1, 4, "undefined alias"),
        ("a:\n\t- b\n", 2, 1, "not YAML"),
        ("a: {1: b}\n", 1, 5, "the key 1 is not a text"),
        ("a: !!python/object:os.system x\n", 1, 4, "not YAML"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    assert said in caught.value.message
    assert (caught.value.file, caught.value.line, caught.value.column) == ("x.yaml", line, column)


@given(st.text(max_size=60) | st.text("ab:-[]{}'\"&*!|>%@\n\t #,?", max_size=60))
@settings(max_examples=150)
@example("? {a: 1}\n: b\n")
@example("? [a]\n: b\n")
@example("a: !!timestamp x\n")
@example("a: !!binary ä\n")
@example("--- a\n--- b\n")
@example("&a a: *a")
@example("&a {b: *a}")
@example("a: &a [*a]")
@example("[" * 500)
@example("<<: 1")
@example("a: {<<: [1]}")
@example("!!set {a, b}")
@example("a: !!omap [b: 1]")
@example("%YAML 3.0\n---\na: 1")
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse_yaml(text, "any.yaml")
