"""How finished spans reach the backend: one small interface, several deliveries."""

from tracegauge.tracking.delivery.delivery import Delivery, DeliveryContext, FlushReport
from tracegauge.tracking.delivery.registry import DELIVERIES, make_delivery

__all__ = ["DELIVERIES", "Delivery", "DeliveryContext", "FlushReport", "make_delivery"]
