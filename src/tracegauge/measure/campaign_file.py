"""From what a user names to a campaign: a campaign file, or a workflow put through the quick campaign."""

from collections.abc import Iterator
from contextlib import contextmanager

from tracegauge.config.campaign import Campaign, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_campaign
from tracegauge.config.shipped import find_file
from tracegauge.config.yaml_file import load_yaml
from tracegauge.measure.matrix import workflow_name

QUICK = "bench/quick.yaml"


def campaign_for(reference: str, inputs: str | None = None) -> Campaign:
    """The campaign of a file, or the quick campaign with the workflow in place of its own.

    `inputs` is a file of inputs for a workflow. Raises ConfigError for what is neither.
    """
    if _is_campaign_file(reference):
        if inputs:
            raise ConfigError(f"{reference} is a campaign: it names its inputs itself", hint="leave --inputs out")
        return load_campaign(find_file(reference))
    quick = load_campaign(find_file(QUICK))
    workflow = MeasuredWorkflow(workflow=reference, inputs=inputs)
    return quick.model_copy(
        update={
            "name": f"{quick.name}-{workflow_name(workflow)}",
            "description": f"What tracing adds to {workflow_name(workflow)}.",
            "matrix": quick.matrix.model_copy(update={"workflows": (workflow,)}),
        }
    )


@contextmanager
def placed_in(reference: str) -> Iterator[None]:
    """Errors about a part of the campaign that `reference` names get the part's place in its file."""
    try:
        yield
    except ConfigError as error:
        if not error.path or not _is_campaign_file(reference):
            raise
        raise load_yaml(find_file(reference)).located(error) from error


def _is_campaign_file(reference: str) -> bool:
    if not reference.endswith((".yaml", ".yml")):
        return False
    return "flow" not in load_yaml(find_file(reference)).data
