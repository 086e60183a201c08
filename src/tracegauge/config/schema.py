"""JSON Schema of the YAML kinds, for editors that check and complete while one writes."""

from typing import Any

from pydantic import BaseModel

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.loading import UNIMPLEMENTED
from tracegauge.config.workflow import WorkflowFile

KINDS: dict[str, type[BaseModel]] = {"campaign": Campaign, "workflow": WorkflowFile}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `campaign` or `workflow` files. Raises ConfigError for another kind.

    It knows the shape; names that must exist and edges that must make a graph are checked when a file is loaded.
    """
    if kind not in KINDS:
        raise ConfigError(f"there is no YAML kind {kind!r}", hint=nearest(kind, KINDS))
    schema = KINDS[kind].model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    if kind == "workflow":
        definitions = schema["$defs"]
        for one in (schema, definitions["WorkflowSettings"], definitions["Node"]):
            one["properties"].update({key: {"deprecated": True} for key in sorted(UNIMPLEMENTED)})
    return schema
