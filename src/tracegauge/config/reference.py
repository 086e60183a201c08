"""The configuration reference: every key of every YAML kind as Markdown, from the same JSON Schema that editors use."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracegauge.config.schema import KINDS, json_schema

_INTRODUCTION = """# Configuration reference

Every key of every file that tracegauge reads. This page is generated from the models: don't edit it, run
`python -c "from tracegauge.config.reference import write_reference; write_reference('docs/CONFIG_REFERENCE.md')"`.
Editors can use the [JSON Schemas](schema/) that say the same.

An unknown key is an error that names its line and column. Paths are relative to the current directory; files below
`examples/`, `bench/` and `judges/` that are not there are taken from those that come with tracegauge.
"""
_TITLES = {"campaign": "Campaign files", "judge": "Judge files", "workflow": "Workflow files"}


def config_reference() -> str:
    """The whole page."""
    return _INTRODUCTION + "".join(_kind(kind) for kind in sorted(KINDS, reverse=True))


def write_reference(path: str | Path) -> None:
    """Write the page."""
    Path(path).write_text(config_reference(), encoding="utf-8")


def _kind(kind: str) -> str:
    schema = json_schema(kind)
    definitions = schema.get("$defs", {})
    sections = [
        _kinds(f"## {_TITLES[kind]}", schema, definitions)
        if "oneOf" in schema
        else _section(f"## {_TITLES[kind]}", schema, definitions)
    ]
    for name in _in_order(schema, definitions):
        sections.append(_section(f"### {name}", definitions[name], definitions, anchor=f"{kind}-{name.lower()}"))
    return "".join(sections).replace("](#", f"](#{kind}-")


def _in_order(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """The definitions in the order in which a reader meets them."""
    found: list[str] = []
    waiting = list(_references(schema.get("oneOf") or schema.get("properties", {})))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting = [*_references(definitions[name].get("properties", {})), *waiting]
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _kinds(heading: str, schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A file that is one of several things, by its `kind`."""
    rows = ["| `kind` | keys | what it is |", "|---|---|---|"]
    for name in _references(schema["oneOf"]):
        definition = definitions[name]
        what = definition["description"].partition("\n\n")[0]
        rows.append(f"| {_type(definition['properties']['kind'])} | [{name}](#{name.lower()}) | {_cell(what)} |")
    return "\n" + "\n\n".join([heading, schema.get("description", ""), "\n".join(rows)]) + "\n"


def _section(heading: str, schema: dict[str, Any], definitions: dict[str, Any], anchor: str | None = None) -> str:
    parts = [f'<a id="{anchor}"></a>' if anchor else "", heading, schema.get("description", "")]
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", [])
    for key, part in schema.get("properties", {}).items():
        if part.get("deprecated") and "type" not in part:
            continue  # keys of the original format that are accepted and ignored
        default = "required" if key in required else _default(part)
        rows.append(f"| `{key}` | {_type(part)} | {default} | {_meaning(part, definitions)} |")
    return "\n" + "\n\n".join([*filter(None, parts), "\n".join(rows)]) + "\n"


def _meaning(part: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What is said of the key, or else of the one thing that it holds."""
    text = part.get("description", "")
    if not text:
        names = list(dict.fromkeys(_references(part)))
        text = definitions[names[0]].get("description", "").partition("\n\n")[0] if len(names) == 1 else ""
    return _cell(" ".join(text.split()))


def _default(part: dict[str, Any]) -> str:
    value = part.get("default")
    if value in (None, [], {}, "") or isinstance(value, dict):
        return ""
    return f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def _type(part: dict[str, Any]) -> str:
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    for union in ("anyOf", "oneOf"):
        if union in part:
            return " or ".join(dict.fromkeys(_type(one) for one in part[union] if one.get("type") != "null"))
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}" if "items" in part else "list"
    if part.get("type") == "object":
        values = part.get("additionalProperties") or next(iter(part.get("patternProperties", {}).values()), None)
        return f"mapping of names to {_type(values)}" if isinstance(values, dict) and values else "mapping"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        part.get("type", ""), "any"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
