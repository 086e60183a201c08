"""What the tracker hands out while it is disabled: it takes everything and does nothing, without importing MLflow."""

from types import TracebackType
from typing import Any


class NoOpSpan:
    """A span that is nowhere."""

    trace_id: None = None
    span_id: None = None

    def set_inputs(self, inputs: Any) -> None:
        """Do nothing."""

    def set_outputs(self, outputs: Any) -> None:
        """Do nothing."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Do nothing."""

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Do nothing."""

    def set_span_type(self, span_type: str) -> None:
        """Do nothing."""

    def set_status(self, status: Any) -> None:
        """Do nothing."""

    def add_event(self, event: Any) -> None:
        """Do nothing."""

    def record_exception(self, exception: Any) -> None:
        """Do nothing."""

    def end(self, outputs: Any = None, attributes: Any = None, status: Any = None, end_time_ns: Any = None) -> None:
        """Do nothing."""

    def __enter__(self) -> "NoOpSpan":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing."""
