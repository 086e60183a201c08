"""What drawing a figure gives."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A figure and what it shows."""

    figure: Figure | None
    """None where there is nothing to draw; `finding` says why."""
    finding: str
    """The finding in words, for those who can't see the figure and for those who are in a hurry."""
