"""Deliveries by name."""

from collections.abc import Callable

from tracegauge.tracking.delivery.delivery import Delivery
from tracegauge.tracking.delivery.lossless import Lossless
from tracegauge.tracking.delivery.mlflow_export import AsyncExport, SyncExport

DELIVERIES: dict[str, Callable[[], Delivery]] = {"mlflow": AsyncExport, "sync": SyncExport, "lossless": Lossless}


def make_delivery(name: str) -> Delivery:
    """The delivery of this name, not yet installed.

    Raises:
        ValueError: there is no such delivery.
    """
    try:
        return DELIVERIES[name]()
    except KeyError:
        raise ValueError(f"unknown delivery {name!r}; known: {', '.join(DELIVERIES)}") from None
