"""Workflows: from a workflow file or an import path to a LangGraph graph that can be invoked."""

from tracegauge.workflows.loading import load_workflow
from tracegauge.workflows.reference import CallCounts, count_calls
from tracegauge.workflows.scripted import ScriptedChatModel
from tracegauge.workflows.workflow import Workflow

__all__ = ["CallCounts", "ScriptedChatModel", "Workflow", "count_calls", "load_workflow"]
