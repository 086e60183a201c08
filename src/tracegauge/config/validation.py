"""From a YAML document to a pydantic model; every fault is told with its place."""

import difflib
import re
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tracegauge.config.errors import ConfigError, ConfigWarning, nearest
from tracegauge.config.known_keys import known_keys
from tracegauge.config.yaml_file import KeyPath, YamlDocument, load_yaml

Model = TypeVar("Model", bound=BaseModel)

_MOST_FAULTS = 20
_PLAIN_MESSAGES = {
    "model_type": "a mapping is needed here",
    "dict_type": "a mapping is needed here",
    "tuple_type": "a list is needed here",
    "list_type": "a list is needed here",
    "string_type": "a text is needed here",
    "string_too_short": "this is empty",
    "int_type": "a whole number is needed here",
    "int_parsing": "a whole number is needed here",
    "int_from_float": "a whole number is needed here",
    "float_type": "a number is needed here",
    "float_parsing": "a number is needed here",
    "bool_type": "true or false is needed here",
    "bool_parsing": "true or false is needed here",
    "too_short": "at least {min_length} is needed here",
    "greater_than": "this is not greater than {gt}",
    "greater_than_equal": "this is less than {ge}",
    "less_than_equal": "this is greater than {le}",
    "string_pattern_mismatch": "this does not match the pattern {pattern}",
}
"""pydantic's errors in plainer words, with what it tells of them filled in."""


class PlacedError(ValueError):
    """A fault of a part of what is validated: `path` leads from there to the part, and ends in a key of a mapping.

    `marked` is the faulty piece of a longer text: the error then points at it, inside the text.
    """

    def __init__(
        self, message: str, *path: str | int, hint: str | None = None, of_key: bool = True, marked: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint
        self.of_key = of_key
        self.marked = marked

    def located(self, document: YamlDocument, base: KeyPath = ()) -> ConfigError:
        """The same fault with its place in the document; `base` leads to what was validated."""
        path = (*base, *self.path)
        place = document.position(path, of_key=self.of_key)
        if self.marked is not None:
            place = document.position_of(self.marked, place)
        return ConfigError(self.message, document.file, place.line, place.column, self.hint)


def parse(source: YamlDocument | str | Path, model: type[Model]) -> Model:
    """A YAML document, or the YAML file at a path, as a model.

    Raises one ConfigError that lists all faults, each with `file:line:column` and, where it can be told, what would be
    right: for an unknown key the nearest one that the model knows there.
    """
    document = source if isinstance(source, YamlDocument) else load_yaml(source)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise one_error(_fault(document, one, model) for one in causes(error)) from None


def check(data: Mapping[str, Any], model: type[Model]) -> Model:
    """A mapping at hand as a model. Raises ConfigError like `parse`, without places, which it has none of."""
    document = YamlDocument("", dict(data), {}, {})
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        first, *others = (
            ConfigError(fault.message, hint=fault.hint)
            for fault in (_fault(document, one, model) for one in causes(error))
        )
        raise ConfigError(first.message, hint=first.hint, others=others) from None


def causes(error: ValidationError) -> list[ErrorDetails]:
    """pydantic's errors without those that follow from another one."""
    errors = error.errors(include_url=False)
    return [one for one in errors if not _follows_from_another(one, errors)]


def _follows_from_another(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Whether it is told by another error: a missing key that is there but misspelt, a list that lacks wrong items."""
    if error["type"] == "too_short":
        return any(one is not error and one["loc"][: len(error["loc"])] == error["loc"] for one in errors)
    return error["type"] == "missing" and any(
        one["type"] == "extra_forbidden"
        and one["loc"][:-1] == error["loc"][:-1]
        and difflib.get_close_matches(str(one["loc"][-1]), [str(error["loc"][-1])])
        for one in errors
    )


def one_error(faults: Iterable[ConfigError]) -> ConfigError:
    """One ConfigError for all faults of a file, in the order of the file."""
    first, *others = sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))
    more = len(others) - _MOST_FAULTS + 1
    if more > 0:
        others = [*others[: _MOST_FAULTS - 1], ConfigError(f"… and {more} more")]
    return ConfigError(first.message, first.file, first.line, first.column, first.hint, others)


def warn(document: YamlDocument, message: str, path: KeyPath) -> None:
    """A ConfigWarning with the place of the key at this path."""
    place = document.position(path, of_key=True)
    warnings.warn(f"{document.file}:{place.line}:{place.column}: {message}", ConfigWarning, stacklevel=2)


def _fault(document: YamlDocument, error: ErrorDetails, model: type[BaseModel]) -> ConfigError:
    path = _path_in(document.data, error["loc"])
    where = ".".join(str(part) for part in path)
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            hint = nearest(str(path[-1]), known_keys(model, path[:-1], document.data))
            if error["input"] is None and not hint.startswith("did you mean"):  # {description: one, two}
                hint += "; a text with a comma or colon needs quotes"
            return document.error(f"unknown key {str(path[-1])!r}", path, of_key=True, hint=hint)
        case "missing":
            return _missing(document, path, str(error["loc"][-1]))
        case "union_tag_not_found":
            return _missing(document, path, context["discriminator"].strip("'"))
        case "union_tag_invalid":
            key = context["discriminator"].strip("'")
            hint = nearest(context["tag"], _quoted(context["expected_tags"]))
            return document.error(f"{where}.{key}: {context['tag']!r} is unknown", (*path, key), hint=hint)
        case "literal_error" if isinstance(error["input"], str):
            hint = nearest(error["input"], _quoted(context["expected"]))
            return document.error(f"{where}: {error['input']!r} is unknown", path, hint=hint)
        case "value_error" if isinstance(context.get("error"), PlacedError):
            placed: PlacedError = context["error"]
            return placed.located(document, path)
    plain = _PLAIN_MESSAGES.get(error["type"])
    message = plain.format(**context) if plain else error["msg"].removeprefix("Value error, ")
    of_key = "[key]" in error["loc"]
    shown = "" if of_key or isinstance(error["input"], (Mapping, list)) else repr(error["input"])
    given = f" (given: {textwrap.shorten(shown, 80)})" if shown else ""
    unquoted = error["type"] in ("string_type", "literal_error") and isinstance(error["input"], (int, float))
    return document.error(
        f"{where}: {message}{given}" if where else message,
        path,
        of_key=of_key,
        hint=f'write "{error["input"]}" in quotes' if unquoted else None,
    )


def _missing(document: YamlDocument, path: KeyPath, key: str) -> ConfigError:
    inside = ".".join(str(part) for part in path)
    return document.error(
        f"{inside} needs the key {key!r}" if path else f"the key {key!r} is missing", path, of_key=True
    )


def _quoted(text: str) -> list[str]:
    """The names in pydantic's `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", text)


def _path_in(data: Any, loc: tuple[int | str, ...]) -> KeyPath:
    """The part of pydantic's location that exists in the data: it also names the members of unions it has tried."""
    path: KeyPath = ()
    for part in loc:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]  # type: ignore[index]
            path = (*path, part)
    return path
