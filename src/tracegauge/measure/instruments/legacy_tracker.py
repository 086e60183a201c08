"""The 2.9-era tracker as its users had it: MLflow's fluent API, a run per workflow and a nested run per node.

It is kept with its faults, because it is what upgrades are compared with: the fluent API keeps the active run per
thread, so nodes that run in parallel lose their parent. `tracegauge.tracking.MLFlowTracker` writes the same names with
explicit run ids.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import mlflow

MODEL = "scripted"
USD_PER_1K_INPUT_TOKENS = 0.00015
USD_PER_1K_OUTPUT_TOKENS = 0.0006
_TAG_LENGTH = 500


@dataclass
class LegacyTracker:
    """Tracks one execution of a workflow; a new one is made for each, as 2.9-era executors did."""

    workflow: str
    _totals: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(
            ("total_input_tokens", "total_output_tokens", "total_cost_usd", "node_count", "retry_count"), 0.0
        )
    )

    @contextmanager
    def track_workflow(self, inputs: Mapping[str, Any]) -> Iterator[mlflow.ActiveRun]:
        """The workflow's run: parameters at the start, totals at the end, `inputs.json` or `error.json` beside them."""
        started = time.time()
        with mlflow.start_run(run_name=f"{self.workflow}_{datetime.now():%Y%m%d_%H%M%S}") as run:
            mlflow.log_params(
                {
                    "workflow_name": self.workflow,
                    "workflow_version": "1.0.0",
                    "schema_version": "1.0",
                    "global_model": MODEL,
                    "global_temperature": 0.7,
                    "global_provider": "scripted",
                }
            )
            mlflow.log_dict(_plain(inputs), "inputs.json")
            try:
                yield run
            except Exception as error:
                mlflow.log_metrics({"duration_seconds": time.time() - started, "status": 0})
                mlflow.log_dict({"error_type": type(error).__name__, "error": str(error)}, "error.json")
                raise
            mlflow.log_metrics({"duration_seconds": time.time() - started, **self._totals})

    @contextmanager
    def track_node(self, node_id: str, tools: list[str] | None = None) -> Iterator[mlflow.ActiveRun]:
        """The node's run, nested in whatever run is active in this thread."""
        started = time.time()
        with mlflow.start_run(run_name=f"node_{node_id}", nested=True) as run:
            mlflow.log_params({"node_id": node_id, "node_model": MODEL, "tools": json.dumps(tools or [])})
            try:
                yield run
            finally:
                mlflow.log_metric("node_duration_ms", (time.time() - started) * 1000)

    def log_node_metrics(
        self, input_tokens: int, output_tokens: int, prompt: str, response: str, retries: int = 0
    ) -> None:
        """Metrics, tags and artifacts of the active node run."""
        cost = (input_tokens * USD_PER_1K_INPUT_TOKENS + output_tokens * USD_PER_1K_OUTPUT_TOKENS) / 1000
        mlflow.log_metrics(
            {"input_tokens": input_tokens, "output_tokens": output_tokens, "retries": retries, "node_cost_usd": cost}
        )
        mlflow.set_tags({"prompt": _shortened(prompt), "response": _shortened(response)})
        mlflow.log_text(prompt, "prompt.txt")
        mlflow.log_text(response, "response.txt")
        self._totals["total_input_tokens"] += input_tokens
        self._totals["total_output_tokens"] += output_tokens
        self._totals["total_cost_usd"] += cost
        self._totals["node_count"] += 1
        self._totals["retry_count"] += retries

    def finalize_workflow(self, final_state: Any, status: str = "success") -> None:
        """The workflow's outcome."""
        mlflow.log_metric("status", 1 if status == "success" else 0)
        mlflow.log_dict(_plain(final_state), "outputs.json")


def _shortened(text: str) -> str:
    return text if len(text) <= _TAG_LENGTH else text[:_TAG_LENGTH] + "..."


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
