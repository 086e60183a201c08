"""Field types are read from their text, and written back as it."""

import contextlib
import re
from typing import get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.config.field_type import FieldType, parse_field_type

scalars = st.sampled_from(["str", "int", "float", "bool"]).map(FieldType)
types = st.recursive(
    scalars | st.sampled_from(["list", "dict", "object"]).map(FieldType),
    lambda inner: (
        st.builds(lambda item: FieldType("list", (item,)), inner)
        | st.builds(lambda key, value: FieldType("dict", (key, value)), scalars, inner)
    ),
)


@given(types)
def test_text_and_back(type_: FieldType) -> None:
    assert parse_field_type(str(type_)) == type_
    assert str(parse_field_type(f" {type_} ".replace("[", " [ ").replace(",", " ,  "))) == str(type_)


@given(types)
def test_annotation_has_the_same_shape(type_: FieldType) -> None:
    expected = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict, "object": dict}
    annotation = type_.annotation
    assert (get_origin(annotation) or annotation) is expected[type_.name]
    assert get_args(annotation) == tuple(argument.annotation for argument in type_.arguments)


@given(st.text(max_size=30) | st.text("strintlisdc[], ", max_size=30))
def test_any_text_parses_or_raises_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_field_type(str(parse_field_type(text))) == parse_field_type(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("string", "'string' is no type"),
        ("", "nothing is no type"),
        ("list[", "nothing is no type"),
        ("list[]", "']' is no type"),
        ("list[str", "a bracket is not closed"),
        ("list[str]]", "']' is too much"),
        ("list[str, int]", "list takes 1 type in brackets, not 2"),
        ("dict[str]", "dict takes 2 types in brackets, not 1"),
        ("str[int]", "str takes nothing in brackets"),
        ("dict[list, int]", "the keys of a dict are of type str, int, float or bool, not list"),
        ("int | str", "'int | str' is no type"),
        ("str int", "'int' is too much"),
    ],
)
def test_what_is_no_type(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_field_type(text)
