"""MLFlowTracker: what a team puts into its LangGraph application."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from tracegauge.config.observability import Delivery as DeliveryName
from tracegauge.tracking.noop import NoOpSpan
from tracegauge.tracking.redaction import Redactor
from tracegauge.tracking.settings import WorkflowFacts, mlflow_config

if TYPE_CHECKING:
    from tracegauge.tracking.activation import Activation
    from tracegauge.tracking.delivery import FlushReport

GraphT = TypeVar("GraphT")
F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_DELIVERY: DeliveryName = "mlflow"


class MLFlowTracker:
    """Tracks a workflow with MLflow, as `observability.mlflow` says; disabled, it does nothing and imports nothing.

    `with tracker:` sets up MLflow's global state and restores it at exit. Without `with`, the first use sets it up and
    `close()` restores it. Nothing that goes wrong in tracking reaches the workflow.
    """

    def __init__(self, config: object = None, workflow_config: object = None) -> None:
        self.config = mlflow_config(config)
        self.workflow = WorkflowFacts.of(workflow_config)
        self._redactor = Redactor(self.config.redact)
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
        if self.config.delivery is not None:
            return self.config.delivery
        return "sync" if self.config.async_logging is False else DEFAULT_DELIVERY

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
        if callable(name):
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

        return wrap_graph(graph, self.config.run_name or self.workflow.name, lambda: self._autolog is not None)  # type: ignore[type-var]

    def _activate(self) -> "Activation | None":
        """MLflow, set up; None where the tracker is disabled or no store can be used, which is found out once."""
        if self._activation is None and self.enabled and not self._unusable:
            from tracegauge.tracking.activation import activate

            with self._lock:
                if self._activation is None and not self._unusable:
                    self._activation = activate(self.config, self.workflow, self.delivery, self._redactor)
                    self._unusable = self._activation is None
        return self._activation

    def _start_autolog(self) -> None:
        from tracegauge.tracking.compat import langchain_autolog

        with self._lock:
            self._autolog_users += 1
            if self._autolog is None:
                autolog = langchain_autolog()
                autolog.__enter__()
                self._autolog = autolog

    def _stop_autolog(self) -> None:
        with self._lock:
            self._autolog_users -= 1
            if self._autolog_users == 0 and self._autolog is not None:
                autolog, self._autolog = self._autolog, None
                autolog.__exit__(None, None, None)
