"""Values of a state: read as their types, completed with defaults, or refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tracegauge.config.field_type import FieldType, parse_field_type
from tracegauge.config.state_values import ZERO_VALUES, FieldValue, StateValues, default_of
from tracegauge.config.workflow import StateField

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=5),
    "int": st.integers(-1000, 1000),
    "float": st.floats(-1000, 1000, allow_nan=False),
    "bool": st.booleans(),
    "list": st.lists(st.integers(), max_size=3),
    "dict": st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    "object": st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
}
scalars = st.sampled_from(["str", "int", "float", "bool"]).map(FieldType)
types = st.recursive(
    st.sampled_from(list(VALUES)).map(FieldType),
    lambda inner: (
        st.builds(lambda item: FieldType("list", (item,)), inner)
        | st.builds(lambda key, value: FieldType("dict", (key, value)), scalars, inner)
    ),
    max_leaves=4,
)


def values_of(type_: FieldType) -> st.SearchStrategy[Any]:
    if not type_.arguments:
        return VALUES[type_.name]
    if type_.name == "list":
        return st.lists(values_of(type_.arguments[0]), max_size=3)
    return st.dictionaries(values_of(type_.arguments[0]), values_of(type_.arguments[1]), max_size=3)


def field(type_: str | FieldType, **more: Any) -> StateField:
    return StateField.model_validate({"type": str(type_), **more})


@given(st.data(), types)
def test_a_value_of_the_type_stays_as_it_is(data: st.DataObject, type_: FieldType) -> None:
    value = data.draw(values_of(type_))
    found = FieldValue(field(type_)).fitting(value)
    assert found == value
    assert type(found) is type(value)


@given(types, st.none() | st.text(max_size=5) | st.integers() | st.floats() | st.lists(st.text(max_size=3), max_size=2))
def test_any_value_becomes_one_of_the_type_or_is_refused(type_: FieldType, value: Any) -> None:
    try:
        found = FieldValue(field(type_)).fitting(value)
    except ValidationError:
        return
    TypeAdapter(type_.annotation).validate_python(found, strict=True)


@given(types)
def test_an_optional_field_holds_an_empty_value_of_its_type(type_: FieldType) -> None:
    assert default_of(field(type_)) == ZERO_VALUES[type_.name]
    FieldValue(field(type_)).fitting(default_of(field(type_)))


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("int", "3", 3),
        ("int", 3.0, 3),
        ("float", "0.5", 0.5),
        ("float", 1, 1.0),
        ("bool", "yes", True),
        ("bool", "off", False),
        ("list[int]", ["1", 2], [1, 2]),
        ("dict[int, float]", {"1": "2"}, {1: 2.0}),
        ("list[dict[str, bool]]", [{"a": 1}], [{"a": True}]),
    ],
)
def test_texts_are_read_as_the_type(type_: str, value: Any, expected: Any) -> None:
    assert FieldValue(field(type_)).fitting(value) == expected


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("int", "three"),
        ("int", 0.5),
        ("str", 5),
        ("bool", "maybe"),
        ("list", "a, b"),
        ("list[int]", ["a"]),
        ("dict", []),
    ],
)
def test_what_does_not_fit(type_: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        FieldValue(field(type_)).fitting(value)


NESTED = {
    "order": field(
        "object",
        required=True,
        schema={
            "number": {"type": "int", "required": True},
            "tags": {"type": "list[str]", "default": ["new"]},
            "customer": {"type": "object", "schema": {"name": {"type": "str", "required": True}, "age": "int"}},
        },
    ),
    "note": field("str", default=None),
    "_private": field("int"),
    "copy": field("int", default=4),  # also a method of pydantic's models
}


def test_defaults_fill_what_is_missing_at_every_depth() -> None:
    assert StateValues(NESTED).complete({"order": {"number": "7"}}) == {
        "order": {"number": 7, "tags": ["new"], "customer": {"name": "", "age": 0}},
        "note": None,
        "_private": 0,
        "copy": 4,
    }
    given_customer = StateValues(NESTED).complete({"order": {"number": 7, "customer": {"name": "Ada"}}, "note": "x"})
    assert given_customer["order"]["customer"] == {"name": "Ada", "age": 0}
    assert given_customer["note"] == "x"


def test_defaults_are_not_shared() -> None:
    first, second = (StateValues(NESTED).complete({"order": {"number": 7}}) for _ in range(2))
    first["order"]["tags"].append("changed")
    first["order"]["customer"]["name"] = "Ada"
    assert second["order"]["tags"] == ["new"]
    assert second["order"]["customer"]["name"] == ""


@pytest.mark.parametrize(
    ("values", "place", "kind"),
    [
        ({}, ("order",), "missing"),
        ({"order": {}}, ("order", "number"), "missing"),
        ({"order": {"number": 1, "customer": {}}}, ("order", "customer", "name"), "missing"),
        ({"order": {"number": 1}, "nothing": 1}, ("nothing",), "extra_forbidden"),
        ({"order": {"number": 1, "nothing": 1}}, ("order", "nothing"), "extra_forbidden"),
        ({"order": {"number": 1}, "copy": None}, ("copy",), "int_type"),
    ],
)
def test_misfits_are_told_with_their_place(values: dict[str, Any], place: tuple[str, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StateValues(NESTED).complete(values)
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [(place, kind)]


@pytest.mark.parametrize(
    ("wanted", "given_type", "fits"),
    [
        ("float", "int", True),
        ("int", "float", False),
        ("list", "list[str]", True),
        ("list[str]", "list", True),
        ("list[str]", "list[int]", False),
        ("list[float]", "list[int]", True),
        ("dict", "object", True),
        ("dict[str, int]", "dict[str, str]", False),
        ("str", "int", False),
    ],
)
def test_which_answers_a_field_takes(wanted: str, given_type: str, fits: bool) -> None:
    assert parse_field_type(wanted).takes(parse_field_type(given_type)) is fits
