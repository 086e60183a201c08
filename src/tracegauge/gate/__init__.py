"""From criteria and samples to verdicts."""

from tracegauge.gate.against import against_criteria
from tracegauge.gate.criteria import resolve_criteria
from tracegauge.gate.exit_codes import exit_code
from tracegauge.gate.judge import judge_campaign, judge_folder

__all__ = ["against_criteria", "exit_code", "judge_campaign", "judge_folder", "resolve_criteria"]
