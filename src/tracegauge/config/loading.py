"""Reading the YAML kinds: from a file to a model."""

from pathlib import Path
from typing import Any

from tracegauge.config.campaign import Campaign
from tracegauge.config.validation import one_error, parse, warn
from tracegauge.config.workflow import WorkflowFile
from tracegauge.config.workflow_checks import workflow_faults
from tracegauge.config.yaml_file import KeyPath, YamlDocument, load_yaml

UNIMPLEMENTED = frozenset({"code", "memory", "optimization", "optimize", "sandbox", "storage", "webhooks"})
"""Keys of the original format that tracegauge accepts and ignores: at the top level, in `config`, and in nodes."""


def load_campaign(path: str | Path) -> Campaign:
    """Read a campaign file. Raises ConfigError that lists every fault with its line and column."""
    return parse(path, Campaign)


def load_workflow_file(source: str | Path | YamlDocument) -> WorkflowFile:
    """Read a workflow file, and check that it makes a graph.

    Keys of the original format that tracegauge does not implement are left out, with one ConfigWarning that names them.
    Raises ConfigError that lists every fault with its line and column.
    """
    document = source if isinstance(source, YamlDocument) else load_yaml(source)
    document, ignored = _implemented(document)
    if ignored:
        names = ", ".join(".".join(str(part) for part in path) for path in ignored)
        warn(document, f"tracegauge does not implement and ignores: {names}", ignored[0])
    workflow = parse(document, WorkflowFile)
    faults = [fault.located(document) for fault in workflow_faults(workflow)]
    if faults:
        raise one_error(faults)
    return workflow


def _implemented(document: YamlDocument) -> tuple[YamlDocument, list[KeyPath]]:
    """The document without the keys that are not implemented, and where those are."""
    ignored: list[KeyPath] = []

    def without(mapping: Any, path: KeyPath) -> Any:
        if not isinstance(mapping, dict):
            return mapping
        ignored.extend((*path, key) for key in mapping if key in UNIMPLEMENTED)
        return {key: value for key, value in mapping.items() if key not in UNIMPLEMENTED}

    data = without(document.data, ())
    if "config" in data:
        data["config"] = without(data["config"], ("config",))
    if isinstance(data.get("nodes"), list):
        data["nodes"] = [without(node, ("nodes", number)) for number, node in enumerate(data["nodes"])]
    ignored.sort(key=lambda path: document.position(path, of_key=True).line)
    return YamlDocument(document.file, data, document.keys, document.values, document.text), ignored
