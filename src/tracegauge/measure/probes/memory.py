"""How much memory this process has needed."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def reset_peak() -> None:
    """Let the peak start anew from what is resident now (Linux, `proc(5)`: clear_refs 5); elsewhere nothing happens."""
    if _STATUS.exists():
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:  # some containers forbid it; the growth is then understated by what the warm-ups needed
            return


def peak_rss_bytes() -> int:
    """The largest resident set size since the process began, or since `reset_peak`."""
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
