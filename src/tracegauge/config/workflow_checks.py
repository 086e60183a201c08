"""What a workflow file must fulfil beyond its shape: names that exist, and edges that make a graph."""

from typing import Any

from tracegauge.config.workflow import WorkflowFile
from tracegauge.config.yaml_file import YamlDocument

UNIMPLEMENTED = frozenset({"code", "memory", "optimization", "optimize", "sandbox", "storage"})
"""Keys of the original format that tracegauge accepts and ignores: at the top level, in `config`, and in nodes."""


def without_unimplemented(document: YamlDocument) -> tuple[YamlDocument, list[str]]:
    """The document without the keys that are not implemented, and those keys as `nodes.0.sandbox`."""
    ignored: list[str] = []

    def without(mapping: Any, where: str) -> Any:
        if not isinstance(mapping, dict):
            return mapping
        ignored.extend(f"{where}{key}" for key in mapping if key in UNIMPLEMENTED)
        return {key: value for key, value in mapping.items() if key not in UNIMPLEMENTED}

    data = without(document.data, "")
    if "config" in data:
        data["config"] = without(data["config"], "config.")
    if isinstance(data.get("nodes"), list):
        data["nodes"] = [without(node, f"nodes.{i}.") for i, node in enumerate(data["nodes"])]
    return YamlDocument(document.file, data, document.keys, document.values), ignored


def check_workflow(workflow: WorkflowFile, document: YamlDocument) -> None:
    """Raise ConfigError, at its place in the file, for the first thing that doesn't hold."""
