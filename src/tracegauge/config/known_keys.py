"""Which keys a model knows at a place in a document."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tracegauge.config.yaml_file import KeyPath


def known_keys(model: type[BaseModel], path: KeyPath, data: Any) -> set[str]:
    """The keys of the models that can stand at this path; of a union's members, those of the `kind` that is given."""
    types_here: list[Any] = [model]
    for part in path:
        data = data[part]
        types_here = [inner for one in types_here for inner in _members(_type_below(one, part))]
    models = [one for one in types_here if _is_model(one)]
    kind = data.get("kind") if isinstance(data, dict) else None
    of_kind = [one for one in models if kind in _kinds(one)]
    return {key for one in of_kind or models for name, info in one.model_fields.items() for key in _keys(name, info)}


def _type_below(type_: Any, part: str | int) -> Any:
    """The type of a field of a model, or of the items of a list or mapping; None if there is none."""
    if _is_model(type_):
        return next((info.annotation for name, info in type_.model_fields.items() if part in _keys(name, info)), None)
    origin, arguments = get_origin(type_), get_args(type_)
    if origin in (list, tuple):
        return arguments[0]
    return arguments[1] if origin is dict else None


def _members(type_: Any) -> Iterator[Any]:
    """The members of a union, without what `Annotated` adds; the type itself if it is none."""
    if get_origin(type_) is Annotated:
        yield from _members(get_args(type_)[0])
    elif get_origin(type_) in (Union, types.UnionType):
        for member in get_args(type_):
            yield from _members(member)
    else:
        yield type_


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    """The values of the field `kind`, which tells the members of a union apart."""
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _keys(name: str, info: FieldInfo) -> list[str]:
    choices = getattr(info.validation_alias, "choices", None)
    if choices:
        return [str(choice) for choice in choices]
    return [info.validation_alias] if isinstance(info.validation_alias, str) else [name]
