"""Made-up values fit the schema that they are made up for."""

import random
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, create_model

from tracegauge.workflows.json_values import value_for


class Inner(BaseModel):
    kind: Literal["a", "b"]
    deeper: "Inner | None"
    more: "list[Inner]" = []


def _bounded(type_: Any, **constraints: Any) -> Any:
    return Annotated[type_, Field(**constraints)]


def _model(fields: dict[str, Any]) -> type[BaseModel]:
    return create_model("Made", **{name: (type_, ...) for name, type_ in fields.items()})  # type: ignore[call-overload, no-any-return]


bounds = st.tuples(st.integers(-20, 20), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
field_types = st.recursive(
    st.one_of(
        st.sampled_from([str, int, float, bool, None, Any, Inner, Literal["x", 1]]),
        bounds.map(lambda pair: _bounded(int, ge=pair[0], le=pair[1])),
        bounds.map(lambda pair: _bounded(float, ge=pair[0] / 7, le=pair[1] / 7)),
        bounds.map(lambda pair: _bounded(int, gt=pair[0], lt=pair[1] + 2)),
        st.integers(0, 100).map(lambda low: _bounded(str, min_length=low, max_length=low + 5)),
        st.integers(-5, 5).map(lambda low: _bounded(int, ge=low)),
        st.integers(-5, 5).map(lambda high: _bounded(float, lt=high)),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: list[one]),  # type: ignore[valid-type]
        inner.map(lambda one: dict[str, one]),  # type: ignore[valid-type]
        inner.map(lambda one: _bounded(list[one], min_length=3, max_length=4)),  # type: ignore[valid-type]
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(_model),
    ),
    max_leaves=6,
)


@given(field_types, st.integers(), st.text(max_size=80))
def test_fits_the_schema(type_: Any, seed: int, text: str) -> None:
    adapter = TypeAdapter(type_)
    value = value_for(adapter.json_schema(), random.Random(seed), text)
    adapter.validate_json(TypeAdapter(Any).dump_json(value))
    assert value == value_for(adapter.json_schema(), random.Random(seed), text)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 5}, {5}),
        ({"enum": ["a", "b"]}, {"a", "b"}),
        ({"type": "string", "examples": ["1 + 2"]}, {"1 + 2"}),
        ({"type": "string", "description": "Arithmetic, such as 3 * 4"}, {"3 * 4"}),
        ({"type": ["null", "string"]}, {None}),
        ({"type": "integer", "minimum": 3, "maximum": 4}, {3, 4}),
    ],
)
def test_choices(schema: dict[str, Any], expected: set[Any]) -> None:
    assert {value_for(schema, random.Random(i), "some words") for i in range(50)} == expected


def test_texts_are_taken_from_the_question() -> None:
    value = value_for({"type": "string"}, random.Random(0), "what is tidal power")
    assert sorted(value.split()) == ["is", "power", "tidal", "what"]
