"""What the instruments that use MLFlowTracker share."""

from collections.abc import Callable

from tracegauge.config.observability import MLflowConfig
from tracegauge.measure.instruments import Destination
from tracegauge.tracking import MLFlowTracker


def tracker_for(destination: Destination | None, *, autolog: bool) -> MLFlowTracker:
    """The tracker as a user would configure it, writing to the destination."""
    if destination is None:
        raise ValueError("an instrument that writes needs a destination")
    return MLFlowTracker(
        MLflowConfig.model_validate(
            {
                "enabled": True,
                "tracking_uri": destination.configured_uri or destination.tracking_uri,
                "fallback_uri": destination.tracking_uri,
                "experiment_name": destination.experiment_name,
                "autolog_enabled": autolog,
                "delivery": destination.delivery,
            }
        )
    )


def flush_of(tracker: MLFlowTracker) -> Callable[[], None]:
    """A function that waits until the tracker has nothing left to write."""

    def flush() -> None:
        tracker.flush(timeout_s=None)

    return flush
