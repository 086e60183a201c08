"""Reading the YAML kinds: from a file to a model."""

import warnings
from pathlib import Path

from tracegauge.config.campaign import Campaign
from tracegauge.config.validation import validate
from tracegauge.config.workflow import WorkflowFile
from tracegauge.config.workflow_checks import check_workflow, without_unimplemented
from tracegauge.config.yaml_file import load_yaml


def load_campaign(path: str | Path) -> Campaign:
    """Read a campaign file. Raises ConfigError that lists every fault with its line and column."""
    return validate(load_yaml(path), Campaign)


def load_workflow_file(path: str | Path) -> WorkflowFile:
    """Read a workflow file, and check that it makes a graph.

    Keys of the original format that tracegauge does not implement are left out, with one UserWarning that names them.
    Raises ConfigError that lists every fault with its line and column.
    """
    document = load_yaml(path)
    document, ignored = without_unimplemented(document)
    if ignored:
        warnings.warn(f"{document.file}: not implemented and ignored: {', '.join(ignored)}", UserWarning, stacklevel=2)
    workflow = validate(document, WorkflowFile)
    check_workflow(workflow, document)
    return workflow
