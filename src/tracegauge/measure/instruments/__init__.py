"""Instruments: how a workflow is traced. Each is a thin adapter over what a user would write."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tracegauge.measure.registry import Registry

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow

Invoke = Callable[[Mapping[str, Any]], Any]
"""Runs the workflow once on one input, and returns its output."""


@dataclass(frozen=True)
class Destination:
    """Where an instrument writes, and how."""

    tracking_uri: str
    experiment_name: str
    delivery: str | None
    configured_uri: str | None = None
    """What is configured as tracking URI instead; `tracking_uri` is then what tracking falls back to."""


@dataclass(frozen=True)
class Attached:
    """A workflow with an instrument attached."""

    invoke: Invoke
    flush: Callable[[], None]
    """Returns when everything that was made has reached the store."""


@dataclass(frozen=True)
class ExpectedCounts:
    """Spans that one invocation should leave in the store; for nested runs, runs."""

    spans: int | None
    """None: the instrument adds spans of its own, whose number can't be derived."""
    node_spans: int
    llm_spans: int
    tool_spans: int


class Calls(Protocol):
    """How often one invocation calls nodes, models and tools, counted without tracing."""

    @property
    def node_calls(self) -> int:
        """Executions of nodes."""
        ...

    @property
    def llm_calls(self) -> int:
        """Calls of models."""
        ...

    @property
    def tool_calls(self) -> int:
        """Calls of tools."""
        ...


class Instrument(ABC):
    """A way of tracing."""

    writes: Literal["nothing", "runs", "traces"]
    """What it leaves in a store."""
    example: str | None = None
    """A program that is traced this way, in which the statements that a user writes are counted."""

    @abstractmethod
    def attach(self, workflow: "Workflow", destination: Destination | None) -> AbstractContextManager[Attached]:
        """Attach to the workflow; everything is restored on exit. `destination` is None where `writes` is `nothing`."""

    @abstractmethod
    def expected(self, calls: Calls) -> ExpectedCounts:
        """What one invocation that makes these calls should leave in the store."""


INSTRUMENTS: Registry[Instrument] = Registry(
    "instrument",
    "tracegauge.instruments",
    {
        "off": "tracegauge.measure.instruments.off:Off",
        "legacy_runs": "tracegauge.measure.instruments.legacy_runs:LegacyRuns",
        "manual_spans": "tracegauge.measure.instruments.manual_spans:ManualSpans",
        "autolog": "tracegauge.measure.instruments.autolog:Autolog",
    },
)


def instrument_named(name: str) -> Instrument:
    """The instrument of that name; ConfigError if there is none."""
    return INSTRUMENTS.get(name)
