"""The interface between the tracker and whatever brings finished spans to the backend."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class DeliveryContext:
    """Where traces go, and what a delivery may take to bring them there."""

    tracking_uri: str
    """The store that MLflow's tracking URI is set to when the delivery is installed."""
    experiment_id: str
    """The experiment of traces that name no other."""
    fallback_uri: str
    """The store that takes what the tracking URI can't."""
    timeout_s: float
    """The longest time by which delivering may delay an invocation, in seconds."""
    spill_dir: Path
    """Where a delivery may keep traces that neither store has taken yet. Created when it is first needed."""


@dataclass(frozen=True)
class FlushReport:
    """What a flush left behind. Counts are of traces; the last two are totals since `install`."""

    pending: int = 0
    """Finished traces that are still in memory."""
    spilled: int = 0
    """Finished traces that are still on disk, to be written later or at the next start."""
    dropped: int = 0
    """Finished traces that are known to be lost."""
    diverted: int = 0
    """Finished traces that were written to the fallback store."""

    @property
    def complete(self) -> bool:
        """Whether every finished trace is in one of the two stores."""
        return not (self.pending or self.spilled or self.dropped)


class Delivery(ABC):
    """One way for finished spans to reach the backend. At most one is installed in a process at a time."""

    name: ClassVar[str]

    @abstractmethod
    def install(self, context: DeliveryContext) -> None:
        """Take over delivering. Called when the tracker activates MLflow's tracing, after its tracking URI is set.

        Raises:
            RuntimeError: this delivery is installed already.
        """

    @abstractmethod
    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait until finished traces are stored, for at most `timeout_s` seconds (None: as long as it takes)."""

    @abstractmethod
    def uninstall(self) -> None:
        """Give back everything that `install` changed. What is undelivered is flushed first."""
