"""The exit code that a verdict stands for."""

from tracegauge.results import Verdict

EXIT_CODES = {Verdict.PASS: 0, Verdict.REGRESSED: 1, Verdict.INCONCLUSIVE: 2}


def exit_code(verdict: Verdict) -> int:
    """0 for PASS, 1 for REGRESSED, 2 for INCONCLUSIVE."""
    return EXIT_CODES[verdict]
