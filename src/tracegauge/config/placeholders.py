"""Placeholders in prompts: `{x}`, `{state.x}`, `{state.a.b}`; `{{` and `}}` stand for braces."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracegauge.config.condition import value_at

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"(state\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


@dataclass(frozen=True)
class Placeholder:
    """Where a value goes in a text."""

    path: tuple[str, ...]
    """('a', 'b') for `{a.b}` and `{state.a.b}`."""
    of_state: bool
    """Whether it says `state`, and so means a state field even where something else has the same name."""


@dataclass(frozen=True)
class Template:
    """A parsed prompt: texts, and placeholders where a value goes."""

    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders in their order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    def render(self, state: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> str:
        """The text with values in place; lists and mappings as JSON, nothing for None.

        A node's inputs go before state fields of the same name, except for `{state.x}`.
        """
        names = {**state, **(inputs or {})}
        return "".join(
            part if isinstance(part, str) else _text(value_at(state if part.of_state else names, part.path))
            for part in self.parts
        )


def parse_template(text: str) -> Template:
    """Parse a prompt. Raises ValueError for a lone brace or a placeholder that is no name."""
    parts: list[str | Placeholder] = []
    end = 0
    for match in _PART.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(match[0][0])
            continue
        if match[1] is None:
            raise ValueError(
                f"a lone {match[0]!r} at character {match.start() + 1}; write {match[0] * 2!r} for a brace"
            )
        name = _NAME.fullmatch(match[1].strip())
        if not name:
            raise ValueError(f"the placeholder {match[0]!r} is no name; write {{field}} or {{state.field}}")
        parts.append(Placeholder(tuple(name[2].split(".")), of_state=bool(name[1])))
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part != ""))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
