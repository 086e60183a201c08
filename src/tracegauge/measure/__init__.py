"""Measuring: cells, in blocks, each in a fresh process."""

from tracegauge.measure.campaign import Progress, run_campaign
from tracegauge.measure.campaign_file import campaign_for, placed_in
from tracegauge.measure.campaign_folder import start_folder, unfinished_folder
from tracegauge.measure.matrix import build_cells, workflow_name
from tracegauge.measure.prepare import CouldNotMeasureError

__all__ = [
    "CouldNotMeasureError",
    "Progress",
    "build_cells",
    "campaign_for",
    "placed_in",
    "run_campaign",
    "start_folder",
    "unfinished_folder",
    "workflow_name",
]
