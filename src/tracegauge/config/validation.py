"""From a YAML document to a pydantic model; every fault is told with its place."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.yaml_file import KeyPath, YamlDocument

Model = TypeVar("Model", bound=BaseModel)

_MOST_FAULTS = 20


def validate(document: YamlDocument, model: type[Model]) -> Model:
    """The document as a model.

    Raises one ConfigError that lists all faults, each with `file:line:column` and, where it can be told, what would be
    right: for an unknown key the nearest one that the model knows there.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise faults(document, error.errors(include_url=False), model) from None


def faults(document: YamlDocument, errors: list[ErrorDetails], model: type[BaseModel]) -> ConfigError:
    """One ConfigError for all of pydantic's errors, in the order of the file."""
    found = sorted((_fault(document, error, model) for error in errors), key=lambda one: (one.line or 0, one.column or 0))
    first, rest = found[0], found[1:_MOST_FAULTS]
    if rest:
        first.hint = "\n".join([*([first.hint] if first.hint else []), *(str(one) for one in rest)])
        if len(found) > _MOST_FAULTS:
            first.hint += f"\n… and {len(found) - _MOST_FAULTS} more"
    return first


def _fault(document: YamlDocument, error: ErrorDetails, model: type[BaseModel]) -> ConfigError:
    path = _path_in(document.data, error["loc"])
    where = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1], document.data)
        return document.error(f"unknown key {path[-1]!r}", path, of_key=True, hint=nearest(str(path[-1]), known))
    if error["type"] == "missing":
        missing = error["loc"][-1]
        inside = f"{where} " if where else ""
        return document.error(f"{inside}needs the key {missing!r}", path, of_key=True)
    message = error["msg"].removeprefix("Value error, ")
    given = "" if isinstance(error["input"], (Mapping, list)) else f" (given: {error['input']!r})"
    return document.error(f"{where}: {message}{given}" if where else message, path)


def _path_in(data: Any, loc: tuple[int | str, ...]) -> KeyPath:
    """The part of pydantic's location that exists in the data: it also names the members of unions it has tried."""
    path: KeyPath = ()
    for part in loc:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]  # type: ignore[index]
            path = (*path, part)
    return path


def _known_keys(model: type[BaseModel], path: KeyPath, data: Any) -> set[str]:
    """The keys that the models at this path know, alternatives of a union included (those of its kind, if it has one)."""
    models = [model]
    for part in path:
        data = data[part]
        if isinstance(part, int):
            continue
        annotations = [
            info.annotation
            for one in models
            for name, info in one.model_fields.items()
            if part in _names(name, info)
        ]
        if not annotations:  # a key of a free mapping: its values' models are already in hand
            continue
        models = [found for annotation in annotations for found in _models_in(annotation)]
    kind = data.get("kind") if isinstance(data, dict) else None
    of_kind = [one for one in models if kind and "kind" in one.model_fields and kind in get_args(one.model_fields["kind"].annotation)]
    return {
        alias
        for one in of_kind or models
        for name, info in one.model_fields.items()
        for alias in _names(name, info)
    }


def _names(name: str, info: Any) -> list[str]:
    choices = getattr(info.validation_alias, "choices", None)
    if choices:
        return [str(choice) for choice in choices]
    return [info.validation_alias] if isinstance(info.validation_alias, str) else [name]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models_in(argument)]
