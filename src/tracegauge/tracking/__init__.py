"""Tracking a LangGraph workflow with MLflow."""

from tracegauge.tracking.tracker import MLFlowTracker

__all__ = ["MLFlowTracker"]
