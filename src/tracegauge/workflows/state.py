"""The state of a workflow file as the channels of a LangGraph graph."""

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tracegauge.config.node_checks import ITEM_NAMES
from tracegauge.config.workflow import WorkflowFile


def state_types(workflow: WorkflowFile) -> tuple[type, type]:
    """The graph's state, and the part of it that callers give and get."""
    collected = {edge.parallel.collect_field for edge in workflow.edges if edge.parallel}
    public: dict[str, Any] = {
        name: Annotated[list, operator.add] if name in collected else field.type.annotation
        for name, field in workflow.state.fields.items()
    }
    hidden: dict[str, Any] = {loop_counter(edge.from_): int for edge in workflow.edges if edge.loop}
    if collected:
        hidden.update(dict.fromkeys(ITEM_NAMES, Any))
    return _typed_dict("State", {**public, **hidden}), _typed_dict("Public", public)


def _typed_dict(name: str, keys: dict[str, Any]) -> type:
    mapping: type = TypedDict(name, keys, total=False)  # type: ignore[misc]
    return mapping


def loop_counter(node: str) -> str:
    """The part of the state that counts how often a node has run in its loop; no field can be called so."""
    return f"runs of {node}"
