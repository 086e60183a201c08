"""JSON Schema of what `--json` prints, for scripts that read it: `verdict` of `bench` and `report`, `comparison` of
`compare`. A change that would break such a script raises the `schema_version` in it."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tracegauge.results import CampaignVerdict
from tracegauge.results.comparison import Comparison

RESULTS: dict[str, type[BaseModel]] = {"verdict": CampaignVerdict, "comparison": Comparison}


def result_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a kind in `RESULTS`; everything that is printed is required there."""
    schema = RESULTS[kind].model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_result_schemas(folder: str | Path) -> None:
    """Write `<kind>.json` for each kind into a folder."""
    for kind in RESULTS:
        text = json.dumps(result_schema(kind), indent=2, ensure_ascii=False)
        Path(folder, f"{kind}.json").write_text(f"{text}\n", encoding="utf-8")
