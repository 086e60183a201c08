"""The 2.9-era API: a run for the workflow, and one below it for each node.

The same names and values as ever. The 2.9-era tracker relied on the active run of the thread, which loses parents and
mixes up metrics when nodes run in parallel; here every write names its run, and contextvars tell which one it is.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from tracegauge.tracking.compat.fluent_runs import fluent_run
from tracegauge.tracking.run_writer import RecordedRun, RunWriter
from tracegauge.tracking.settings import Settings
from tracegauge.tracking.storable import plain, text_of

logger = logging.getLogger("tracegauge.tracking")

TAG_CHARACTERS = 500
"""Prompts and responses are cut to this length in tags; artifacts have them whole."""

T = TypeVar("T")


@dataclass
class NodeRun:
    """A node's run under way."""

    run: RecordedRun
    workflow: "WorkflowRun | None"


@dataclass
class WorkflowRun:
    """A workflow's run under way, and what its nodes add up to."""

    run: RecordedRun
    started_ns: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    cost_known: bool = True
    nodes: int = 0
    retries: int = 0
    finalized: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Current(Generic[T]):
    """What is current in this context; in threads of users' own, which don't know the context, the only one open."""

    def __init__(self, name: str) -> None:
        self._variable: ContextVar[T | None] = ContextVar(name, default=None)
        self._open: list[T] = []
        self._lock = threading.Lock()

    @contextmanager
    def being(self, value: T) -> Iterator[None]:
        token = self._variable.set(value)
        with self._lock:
            self._open.append(value)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(value)
            try:
                self._variable.reset(token)
            except ValueError:  # left in another context, by a generator that was closed elsewhere
                self._variable.set(None)

    def get(self) -> T | None:
        value = self._variable.get()
        if value is not None:
            return value
        with self._lock:
            return self._open[0] if len(self._open) == 1 else None


class LegacyRuns:
    """Writes the runs of a tracker."""

    def __init__(self, writer: RunWriter, settings: Settings) -> None:
        self._writer = writer
        self._config = settings.config
        self._facts = settings.workflow
        self._redactor = settings.redactor
        self._prices = settings.prices
        self._workflow: _Current[WorkflowRun] = _Current("tracegauge_workflow_run")
        self._node: _Current[NodeRun] = _Current("tracegauge_node_run")

    def close(self) -> None:
        """Write what could not be written before, if that is possible now."""
        self._writer.close()

    @contextmanager
    def workflow(self, inputs: Any) -> Iterator[Any]:
        """A run for the workflow; yields MLflow's ActiveRun. An exception is recorded and goes on."""
        run = self._writer.start(self._redactor.text(self._run_name()), parent=None)
        workflow = WorkflowRun(run, time.monotonic_ns())
        facts = self._facts
        self._writer.log(
            run,
            params=self._texts(
                workflow_name=facts.name,
                workflow_version=facts.version,
                schema_version=facts.schema_version,
                global_model=facts.model,
                global_temperature=facts.temperature,
                global_provider=facts.provider,
            ),
        )
        self._artifact(run, "inputs.json", _json(inputs))
        try:
            with self._workflow.being(workflow), fluent_run(run.active_run):
                yield run.active_run
        except BaseException as error:
            self._artifact(run, "error.json", _json({"error_type": type(error).__name__, "error": text_of(error)}))
            self._finish(workflow, succeeded=False)
            self._writer.end(run, "FAILED")
            raise
        if not workflow.finalized:
            self._finish(workflow, succeeded=True)
        self._writer.end(run, "FINISHED")

    def finalize(self, final_state: Any, status: str) -> None:
        """Record the workflow's outputs and totals."""
        workflow = self._workflow.get()
        if workflow is not None:
            self._artifact(workflow.run, "outputs.json", _json(final_state))
            self._finish(workflow, succeeded=status == "success")

    def _finish(self, workflow: WorkflowRun, *, succeeded: bool) -> None:
        workflow.finalized = True
        metrics = {
            "duration_seconds": (time.monotonic_ns() - workflow.started_ns) / 1e9,
            "total_input_tokens": workflow.input_tokens,
            "total_output_tokens": workflow.output_tokens,
            "node_count": workflow.nodes,
            "retry_count": workflow.retries,
            "status": 1 if succeeded else 0,
        }
        if workflow.cost_known:
            metrics["total_cost_usd"] = workflow.cost_usd
        self._writer.log(workflow.run, metrics=metrics)

    @contextmanager
    def node(self, node_id: str, model: str | None, tools: Any) -> Iterator[Any]:
        """A run for a node, below the workflow's; yields MLflow's ActiveRun."""
        workflow = self._workflow.get()
        parent = workflow.run if workflow else None
        run = self._writer.start(self._redactor.text(f"node_{node_id}"), parent)
        if workflow:
            with workflow.lock:
                workflow.nodes += 1
        self._writer.log(run, params=self._texts(node_id=node_id, node_model=model, tools=_tool_names(tools)))
        started_ns = time.monotonic_ns()
        failed = True
        try:
            with self._node.being(NodeRun(run, workflow)), fluent_run(run.active_run):
                yield run.active_run
            failed = False
        finally:
            self._writer.log(run, metrics={"node_duration_ms": (time.monotonic_ns() - started_ns) / 1e6})
            self._writer.end(run, "FAILED" if failed else "FINISHED")

    def node_metrics(
        self,
        input_tokens: int,
        output_tokens: int,
        model: str | None,
        retries: int,
        prompt: str | None,
        response: str | None,
    ) -> None:
        """Record a model call: with the node whose it is, and in the workflow's totals. Never raises."""
        try:
            self._record(input_tokens, output_tokens, model, retries, prompt, response)
        except Exception as error:
            logger.warning("the metrics of a node can't be recorded: %r", error)

    def _record(
        self,
        input_tokens: int,
        output_tokens: int,
        model: str | None,
        retries: int,
        prompt: str | None,
        response: str | None,
    ) -> None:
        node = self._node.get()
        workflow = node.workflow if node else self._workflow.get()
        run = node.run if node else workflow.run if workflow else None
        if run is None:
            return
        cost_usd = self._prices.cost_usd(model, input_tokens, output_tokens)
        if workflow:
            with workflow.lock:
                workflow.input_tokens += input_tokens
                workflow.output_tokens += output_tokens
                workflow.retries += retries
                workflow.cost_usd += cost_usd or 0.0
                workflow.cost_known = workflow.cost_known and cost_usd is not None
        metrics: dict[str, float] = {"input_tokens": input_tokens, "output_tokens": output_tokens, "retries": retries}
        if cost_usd is not None:
            metrics["node_cost_usd"] = cost_usd
        tags = {}
        if self._config.log_prompts:
            for name, text in (("prompt", prompt), ("response", response)):
                if text is not None:
                    tags[name] = self._shortened(self._redactor.text(text_of(text)))
                    if self._config.artifact_level != "minimal":
                        self._artifact(run, f"{name}.txt", text_of(text))
        self._writer.log(run, metrics=metrics, tags=tags)

    def _shortened(self, text: str) -> str:
        if self._config.artifact_level == "full" or len(text) <= TAG_CHARACTERS:
            return text
        return f"{text[:TAG_CHARACTERS]}..."

    def _artifact(self, run: RecordedRun, name: str, text: str) -> None:
        if self._config.log_artifacts:
            redact = self._redactor.json if name.endswith(".json") else self._redactor.text
            self._writer.artifact(run, name, redact(text))

    def _texts(self, **values: Any) -> dict[str, str]:
        return {name: self._redactor.text(text_of(value)) for name, value in values.items() if value is not None}

    def _run_name(self) -> str:
        if self._config.run_name:
            return self._config.run_name
        return f"{self._facts.name or 'workflow'}_{datetime.now():%Y%m%d_%H%M%S}"


def _json(value: Any) -> str:
    """Readable JSON of anything: models and messages as their fields, the rest as text."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def _tool_names(tools: Any) -> str | None:
    """A JSON list of tools' names; what is no list counts as one tool."""
    if tools is None:
        return None
    listed = tools if isinstance(tools, (list, tuple, set, frozenset, Mapping)) else [tools]
    names = [getattr(tool, "name", None) or text_of(tool) for tool in listed]
    return json.dumps(names, default=text_of) if names else None
