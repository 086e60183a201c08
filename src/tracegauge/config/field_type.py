"""The types of state fields, as text: `str`, `list[int]`, `dict[str, list[float]]`, `object`, …"""

import re
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

SCALARS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_JSON_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_NAMES = (*SCALARS, "list", "dict", "object")
_SAME_AS = {"object": "dict"}
_TOKEN = re.compile(r"\s*([A-Za-z]+|[\[\],])")


@dataclass(frozen=True)
class FieldType:
    """A type: its name, and the types in its brackets."""

    name: str
    arguments: "tuple[FieldType, ...]" = ()

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.arguments))}]" if self.arguments else self.name

    @property
    def annotation(self) -> Any:
        """The Python type; an object is a dict."""
        if self.name in SCALARS:
            return SCALARS[self.name]
        arguments = tuple(argument.annotation for argument in self.arguments)
        if self.name == "list":
            return GenericAlias(list, arguments) if arguments else list
        return GenericAlias(dict, arguments) if arguments else dict

    @property
    def json_schema(self) -> dict[str, Any]:
        """The type as JSON Schema."""
        if self.name in _JSON_NAMES:
            return {"type": _JSON_NAMES[self.name]}
        if self.name == "list":
            return {"type": "array", **({"items": self.arguments[0].json_schema} if self.arguments else {})}
        return {"type": "object", **({"additionalProperties": self.arguments[1].json_schema} if self.arguments else {})}

    def takes(self, other: "FieldType") -> bool:
        """Whether values of the other type can fit: the same type, or an int for a float. A bare list or dict may hold
        anything."""
        mine, its = (_SAME_AS.get(type_.name, type_.name) for type_ in (self, other))
        if mine != its:
            return (mine, its) == ("float", "int")
        if not self.arguments or not other.arguments:
            return True
        return all(one.takes(another) for one, another in zip(self.arguments, other.arguments, strict=True))


def parse_field_type(text: str) -> FieldType:
    """Parse a type. Raises ValueError that says what is wrong with it."""
    tokens = _tokens(text)
    found, rest = _parse(tokens, text)
    if rest:
        raise ValueError(f"{''.join(rest)!r} is too much in the type {text!r}")
    return found


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if not match:
            raise ValueError(f"{text!r} is no type; the types are {', '.join(_NAMES)}, list[T] and dict[K, V]")
        tokens.append(match[1])
        place = match.end()
    return tokens


def _parse(tokens: list[str], text: str) -> tuple[FieldType, list[str]]:
    if not tokens or tokens[0] not in _NAMES:
        what = repr(tokens[0]) if tokens else "nothing"
        raise ValueError(f"{what} is no type (in {text!r}); the types are {', '.join(_NAMES)}, list[T] and dict[K, V]")
    name, rest = tokens[0], tokens[1:]
    if not rest or rest[0] != "[":
        return FieldType(name), rest
    wanted = {"list": 1, "dict": 2}.get(name)
    if wanted is None:
        raise ValueError(f"{name} takes nothing in brackets (in {text!r})")
    arguments = []
    while True:
        argument, rest = _parse(rest[1:], text)
        arguments.append(argument)
        if not rest or rest[0] != ",":
            break
    if not rest or rest[0] != "]":
        raise ValueError(f"a bracket is not closed in the type {text!r}")
    if len(arguments) != wanted:
        raise ValueError(
            f"{name} takes {wanted} type{'s' * (wanted > 1)} in brackets, not {len(arguments)} (in {text!r})"
        )
    if name == "dict" and arguments[0].name not in SCALARS:
        raise ValueError(f"the keys of a dict are of type str, int, float or bool, not {arguments[0]} (in {text!r})")
    return FieldType(name, tuple(arguments)), rest[1:]
