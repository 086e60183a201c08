"""Telling which node is running."""

from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from tracegauge.workflows.reference import node_of


class NodeProgress(BaseCallbackHandler):
    """A LangChain callback that is told of each node as it starts."""

    run_inline = True

    def __init__(self, on_node: Callable[[str], None]) -> None:
        self._on_node = on_node

    def on_chain_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        inputs: dict[str, Any],  # noqa: ARG002
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Pass a node on."""
        node = node_of(tags, metadata)
        if node:
            self._on_node(node)
