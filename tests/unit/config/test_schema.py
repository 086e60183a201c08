"""Editors check YAML files against these schemas: they take what is right, and refuse what is misspelt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_campaign, load_workflow_file
from tracegauge.config.schema import KINDS, json_schema, write_schemas
from tracegauge.config.shipped import shipped_folder
from tracegauge.config.yaml_file import load_yaml

DOCS = Path(__file__).parents[3] / "docs" / "schema"
WORKFLOWS = sorted(shipped_folder("examples").glob("*.yaml"))
CAMPAIGNS = sorted(path for path in shipped_folder("bench").glob("*.yaml") if "matrix" in path.read_text())
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """What a validator of the keywords that we use says; `$ref` stands beside nothing but annotations there."""
    if "$ref" in schema:
        return complaints(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, path)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            tried = [complaints(value, one, root, path) for one in schema[union]]
            return min(tried, key=len)
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is not one of {schema['enum']}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path} is not {schema['const']!r}"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))):
        return [f"{path} is no {kind}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        found = [one for i, item in enumerate(value) for one in complaints(item, items, root, f"{path}/{i}")]
        return [*found, *([f"{path} is too short"] if len(value) < schema.get("minItems", 0) else [])]
    if isinstance(value, dict):
        found = [f"{path} lacks {key}" for key in schema.get("required", ()) if key not in value]
        for key, part in value.items():
            of_key = schema_of_key(key, schema)
            if of_key is False:
                found.append(f"{path} has the unknown key {key}")
            elif of_key is not True:
                found += complaints(part, of_key, root, f"{path}/{key}")
        return found
    return []


def schema_of_key(key: str, schema: dict[str, Any]) -> Any:
    for pattern, found in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return found
    return schema.get("properties", {}).get(key, schema.get("additionalProperties", True))


def check(value: Any, kind: str) -> list[str]:
    schema = json_schema(kind)
    return complaints(value, schema, schema)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_shipped_workflows_fit(file: Path) -> None:
    load_workflow_file(file)
    assert check(load_yaml(file).data, "workflow") == []


@pytest.mark.parametrize("file", CAMPAIGNS, ids=lambda file: file.stem)
def test_shipped_campaigns_fit(file: Path) -> None:
    load_campaign(file)
    assert check(load_yaml(file).data, "campaign") == []


def test_there_are_shipped_files_to_check() -> None:
    assert len(WORKFLOWS) >= 8
    assert CAMPAIGNS


@pytest.mark.parametrize(
    ("where", "key", "complaint"),
    [
        ((), "flwo", " has the unknown key flwo"),
        (("flow",), "nmae", "/flow has the unknown key nmae"),
        (("state", "fields", "topic"), "typ", "/state/fields/topic has the unknown key typ"),
        (("state", "fields"), "my topic", "/state/fields has the unknown key my topic"),
        (("nodes", 0), "promt", "/nodes/0 has the unknown key promt"),
        (("edges", 0), "too", "/edges/0 has the unknown key too"),
        (("config", "llm"), "modl", "/config/llm has the unknown key modl"),
    ],
)
def test_unknown_keys_are_refused(where: tuple[Any, ...], key: str, complaint: str) -> None:
    data = load_yaml(shipped_folder("examples") / "article_writer_sqlite.yaml").data
    part = data
    for step in where:
        part = part[step]
    part[key] = "x"
    assert check(data, "workflow") == [complaint]


def test_all_ways_to_write_things_are_known() -> None:
    text = """
schema_version: "1.0"
flow: {name: f}
state:
  fields:
    a: {type: object, schema: {b: str, c: {type: object, schema: {d: "list[int]"}}}}
    e: {type: str, required: true}
nodes:
  - {id: n, prompt: x, outputs: [e], tools: [calculator, {name: document_search, on_error: continue}], sandbox: {x: 1}}
edges:
  - {from: START, to: n}
  - {from: n, to: [END, END]}
memory: {anything: [1, 2]}
config: {observability: {mlflow: {use_autolog: true}}, storage: 1}
"""
    assert check(yaml.safe_load(text), "workflow") == []


def test_keys_are_explained() -> None:
    schema = json_schema("workflow")
    assert schema["$defs"]["Loop"]["properties"]["condition_field"]["description"].startswith("A bool state field")
    assert schema["$defs"]["StateField"]["properties"]["schema"]["description"].startswith("Of an object")
    assert json_schema("campaign")["$defs"]["MeasureSettings"]["properties"]["blocks"]["description"]


def test_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="no YAML kind 'campain'") as caught:
        json_schema("campain")
    assert caught.value.hint == "did you mean 'campaign'?"


def test_committed_copies_are_up_to_date(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    for kind in KINDS:
        assert json.loads((DOCS / f"{kind}.json").read_text()) == json.loads((tmp_path / f"{kind}.json").read_text()), (
            """stale: python -c "from tracegauge.config.schema import write_schemas; write_schemas('docs/schema')" """
        )
