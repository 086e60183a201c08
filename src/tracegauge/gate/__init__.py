"""From criteria and samples to verdicts."""

from tracegauge.gate.against import against_criteria
from tracegauge.gate.controls import CONTROL_MARGIN, Controls, controls_of, resolve_controls
from tracegauge.gate.criteria import resolve_criteria
from tracegauge.gate.exit_codes import exit_code
from tracegauge.gate.judge import is_decided, judge_campaign, judge_folder

__all__ = [
    "CONTROL_MARGIN",
    "Controls",
    "against_criteria",
    "controls_of",
    "exit_code",
    "is_decided",
    "judge_campaign",
    "judge_folder",
    "resolve_controls",
    "resolve_criteria",
]
