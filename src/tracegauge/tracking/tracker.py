"""MLFlowTracker: what a team puts into its LangGraph application."""

import atexit
import logging
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from tracegauge.config.observability import Delivery as DeliveryName
from tracegauge.tracking.noop import NoOpSpan
from tracegauge.tracking.settings import Settings

if TYPE_CHECKING:
    from tracegauge.tracking.activation import Activation
    from tracegauge.tracking.delivery import FlushReport
    from tracegauge.tracking.distributed import Headers
    from tracegauge.tracking.responses_agent import GraphResponsesAgent
    from tracegauge.tracking.summary import TraceSummary

logger = logging.getLogger("tracegauge.tracking")

GraphT = TypeVar("GraphT")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class MLFlowTracker:
    """Tracks a workflow with MLflow, as `observability.mlflow` says; disabled, it does nothing and imports nothing.

    `config` is that part of a configuration (a mapping, an `MLflowConfig`, or an object with its keys as attributes), a
    whole configuration that holds it, or the path of its YAML file; `workflow_config`, which may be left out, names
    the workflow. Raises ConfigError where a key or value can't be used.

    `with tracker:` sets up MLflow's global state and restores it at exit. Without `with`, the first use sets it up and
    `close()` restores it. Nothing that goes wrong in tracking reaches the workflow.
    """

    def __init__(self, config: object = None, workflow_config: object = None) -> None:
        self._settings = Settings.of(config, workflow_config)
        self.config = self._settings.config
        self._activation: Activation | None = None
        self._unusable = False
        self._lock = threading.RLock()
        self._autolog_users = 0
        self._autolog: AbstractContextManager[None] | None = None

    @property
    def enabled(self) -> bool:
        """Whether anything is tracked at all."""
        return self.config.enabled

    @property
    def tracking_uri(self) -> str | None:
        """The tracking URI in use, resolved and absolute; None when nothing is tracked."""
        activation = self._activate()
        return activation.tracking_uri if activation else None

    @property
    def experiment_id(self) -> str | None:
        """The experiment in use; None when nothing is tracked."""
        activation = self._activate()
        return activation.experiment_id if activation else None

    @property
    def delivery(self) -> DeliveryName:
        """The name of the delivery in force."""
        return self._settings.delivery

    def __enter__(self) -> Self:
        self._activate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Flush, and restore everything in MLflow that was set up. The tracker can be used again."""
        with self._lock:
            activation, self._activation = self._activation, None
            self._unusable = False
        if activation is not None:
            atexit.unregister(self.close)
            activation.close()

    def flush(self, timeout_s: float | None = None) -> "FlushReport | None":
        """Wait until finished traces are stored, at most `timeout_s` seconds (None: as long as it takes).

        Returns what is still pending; None when nothing is tracked.
        """
        return self._activation.flush(timeout_s) if self._activation else None

    def span(
        self, name: str, span_type: str = "CHAIN", inputs: Any = None, **attributes: Any
    ) -> AbstractContextManager[Any]:
        """`with tracker.span(...) as span:` a span under the active one, or a trace of its own."""
        if self._activate() is None:
            return NoOpSpan()
        from tracegauge.tracking.spans import ActiveSpan

        return ActiveSpan(name, span_type, inputs, attributes)

    def trace(self, name: Any = None, span_type: str = "CHAIN", **attributes: Any) -> Any:
        """`@tracker.trace("name")` or `@tracker.trace`: a span for each call, with its arguments and its result.

        For functions, coroutine functions, generators and asynchronous generators. Default name: the function's.
        """
        if callable(name) or isinstance(name, classmethod):
            return self.trace()(name)

        def decorate(function: F) -> F:
            if not self.enabled:
                return function
            from tracegauge.tracking.traced_function import trace_function

            return cast(F, trace_function(function, name, span_type, attributes, self._activate))

        return decorate

    @contextmanager
    def instrument(self) -> Iterator[Self]:
        """Turn autolog on, if the configuration says so; everything is as before on exit."""
        autolog = self.config.autolog_enabled and self._activate() is not None
        if autolog:
            self._start_autolog()
        try:
            yield self
        finally:
            if autolog:
                self._stop_autolog()

    def wrap_nodes(self, graph: GraphT) -> GraphT:
        """A copy of a compiled graph with a span for each node, model call and tool call.

        The nodes are wrapped from outside; the graph itself stays as it is. While autolog is on, which would trace the
        same things, the copy adds nothing.
        """
        if self._activate() is None:
            return graph
        from tracegauge.tracking.nodes import wrap_graph

        return wrap_graph(graph, self._settings.root_name, lambda: self._autolog is not None)  # type: ignore[type-var]

    def stream(
        self,
        name: str,
        produce: Callable[[Any], Generator[T, Any, Any]],
        span_type: str = "CHAIN",
        inputs: Any = None,
        outputs: Callable[[list[Any]], Any] = list,
        **attributes: Any,
    ) -> Generator[T, None, None]:
        """What `produce(span)` yields, in a span that is active while it is produced, not while it is consumed.

        `outputs` makes the span's outputs of everything that was yielded.
        """
        if self._activate() is None:
            return produce(NoOpSpan())
        from tracegauge.tracking.spans import start_span
        from tracegauge.tracking.streams import streaming

        return streaming(produce, lambda: start_span(name, span_type, inputs, attributes), outputs)()

    def responses_agent(self, graph: Any, to_state: Any = None) -> "GraphResponsesAgent":
        """The graph as MLflow's ResponsesAgent, traced, with the time to the first token.

        `to_state` makes the graph's input of a request; by default the graph has a `messages` state.
        """
        from tracegauge.tracking.responses_agent import GraphResponsesAgent, messages_state

        return GraphResponsesAgent(self, graph, to_state or messages_state)

    def outgoing_headers(self) -> dict[str, str]:
        """HTTP headers that continue the active span's trace in another process; empty when nothing is tracked."""
        if self._activate() is None:
            return {}
        from tracegauge.tracking.distributed import outgoing_headers

        return outgoing_headers()

    def incoming(self, headers: "Headers") -> AbstractContextManager[None]:
        """`with tracker.incoming(request.headers):` spans inside belong to the caller's trace.

        The file store can't put together a trace of several processes: there, each process has a trace of its own.
        """
        activation = self._activate()
        if activation is None or not activation.joins_traces:
            return nullcontext()
        from tracegauge.tracking.distributed import incoming

        return incoming(headers)

    def summary(self, trace_id: str | None) -> "TraceSummary | None":
        """Calls, errors, latency, tokens and cost per node, tool, agent and model of a trace, from its spans.

        None for the `trace_id` of a span that was not recorded, because tracking is disabled or by `sample_rate`.
        Flushes first. Raises ValueError where there is no such trace.
        """
        if trace_id is None:
            return None
        from mlflow.entities.span import NO_OP_SPAN_TRACE_ID

        from tracegauge.tracking.summary import summarize_trace

        if trace_id == NO_OP_SPAN_TRACE_ID:
            return None
        self.flush()
        return summarize_trace(trace_id, self.tracking_uri, self._settings.prices)

    # --- the 2.9-era API ---------------------------------------------------------------------------------------------

    @contextmanager
    def track_workflow(self, inputs: Any) -> Iterator[Any]:
        """A run for one execution of the workflow; yields MLflow's ActiveRun, None when nothing is tracked.

        With `autolog_enabled`, autolog is on inside it.
        """
        activation = self._activate()
        if activation is None:
            yield None
            return
        with self.instrument(), activation.runs.workflow(inputs) as run:
            yield run

    def track_node(self, node_id: str, model: str | None = None, tools: Any = None) -> AbstractContextManager[Any]:
        """Deprecated: a run for a node, below the workflow's; yields MLflow's ActiveRun, or None."""
        warnings.warn(
            "MLFlowTracker.track_node is deprecated: use `with tracker.span(...)` or `@tracker.trace(...)`, "
            "or `autolog_enabled: true`, which traces nodes by itself",
            DeprecationWarning,
            stacklevel=2,
        )
        activation = self._activate()
        return nullcontext() if activation is None else activation.runs.node(node_id, model, tools)

    def log_node_metrics(
        self,
        input_tokens: int | None,
        output_tokens: int | None,
        model: str | None = None,
        retries: int | None = 0,
        prompt: str | None = None,
        response: str | None = None,
    ) -> None:
        """Record a model call of the current node, and add it to the workflow's totals."""
        activation = self._activate()
        if activation is not None:
            activation.runs.node_metrics(input_tokens or 0, output_tokens or 0, model, retries or 0, prompt, response)

    def finalize_workflow(self, final_state: Any, status: str = "success") -> None:
        """Record the outputs and totals of the current workflow; any other status than "success" counts as failed."""
        activation = self._activate()
        if activation is not None:
            activation.runs.finalize(final_state, status)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _activate(self) -> "Activation | None":
        """MLflow, set up; None where the tracker is disabled or no store can be used, which is found out once."""
        if self._activation is None and self.enabled and not self._unusable:
            from tracegauge.tracking.activation import activate

            with self._lock:
                if self._activation is None and not self._unusable:
                    self._activation = activate(self._settings)
                    self._unusable = self._activation is None
                    # 2.9-era code never closes its tracker.
                    atexit.register(self.close)
        return self._activation

    def _start_autolog(self) -> None:
        from tracegauge.tracking.compat.langchain_autolog import langchain_autolog

        with self._lock:
            self._autolog_users += 1
            if self._autolog is not None:
                return
            autolog = langchain_autolog()
            try:
                autolog.__enter__()
            except Exception as error:  # MLflow 3.9 wants the package langchain for it
                logger.warning("autolog can't be turned on (%s): the workflow runs on without it", error)
            else:
                self._autolog = autolog

    def _stop_autolog(self) -> None:
        with self._lock:
            self._autolog_users -= 1
            if self._autolog_users == 0 and self._autolog is not None:
                autolog, self._autolog = self._autolog, None
                autolog.__exit__(None, None, None)
