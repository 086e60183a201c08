"""JSON Schema of the YAML kinds, for editors that check, complete and explain while one writes."""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.judge import JudgeFile
from tracegauge.config.loading import UNIMPLEMENTED
from tracegauge.config.workflow import WorkflowFile

KINDS: dict[str, type[BaseModel]] = {"campaign": Campaign, "judge": JudgeFile, "workflow": WorkflowFile}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `campaign`, `judge` or `workflow` files. Raises ConfigError for another.

    It knows the shape; names that must exist and edges that must make a graph are checked when a file is loaded.
    """
    if kind not in KINDS:
        raise ConfigError(f"there is no YAML kind {kind!r}", hint=nearest(kind, KINDS))
    schema = KINDS[kind].model_json_schema(by_alias=True, schema_generator=_Explained)
    schema["$schema"] = GenerateJsonSchema.schema_dialect
    if kind == "workflow":
        _add_other_spellings(schema)
    if kind == "judge":
        types = schema["$defs"]["ValueType"]["properties"]["type"]["enum"]
        for judge in ("LlmJudge", "BuiltinJudge", "CodeJudge"):
            value = schema["$defs"][judge]["properties"]["value"]
            value["anyOf"] = [{"enum": types}, {"$ref": value.pop("$ref")}]  # `value: bool` for {type: bool}
    return schema


def write_schemas(folder: str | Path) -> None:
    """Write `<kind>.json` for each kind into a folder."""
    for kind in KINDS:
        text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False)
        Path(folder, f"{kind}.json").write_text(f"{text}\n", encoding="utf-8")


def _add_other_spellings(schema: dict[str, Any]) -> None:
    """What a file may say too, and the models take before they look at types: short forms, old and ignored keys."""
    definitions = schema["$defs"]
    tools = definitions["Node"]["properties"]["tools"]
    tools["items"] = {"anyOf": [{"type": "string"}, tools["items"]]}
    parts, _null = definitions["StateField"]["properties"]["schema"]["anyOf"]
    for pattern, field in parts["patternProperties"].items():
        parts["patternProperties"][pattern] = {"anyOf": [{"type": "string"}, field]}
    definitions["MLflowConfig"]["properties"]["use_autolog"] = {"type": "boolean", "deprecated": True}
    for one in (schema, definitions["WorkflowSettings"], definitions["Node"]):
        one["properties"].update({key: {"deprecated": True} for key in sorted(UNIMPLEMENTED)})


class _Explained(GenerateJsonSchema):
    """pydantic's generator, which also takes over what the models say below their fields.

    pydantic could do so itself (`use_attribute_docstrings`), but would read the source at every import.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """What stands below a field of a model describes its key."""
        found = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, text in _field_docstrings(model):
            key = model.model_fields[name].alias or name
            found["properties"][key]["description"] = text
        return found

    def dict_schema(self, schema: core_schema.DictSchema) -> dict[str, Any]:
        """Where keys must have a pattern, others are refused."""
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found


def _field_docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """What stands below the fields of a model and of those that it inherits from, its own last."""
    own = [
        one for one in reversed(model.__mro__) if one.__module__.startswith("tracegauge.") and "[" not in one.__name__
    ]
    for one in own:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, below in zip(definition.body, definition.body[1:], strict=False):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    if name in model.model_fields:
                        yield name, inspect.cleandoc(text)
