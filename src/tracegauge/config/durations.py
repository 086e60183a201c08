"""Durations as people write them."""

import re
from typing import Annotated

from pydantic import Field

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PATTERN = r"^[1-9]\d*[smhd]$"

Duration = Annotated[str, Field(pattern=_PATTERN, examples=["90s", "15m", "12h", "7d"])]
"""A whole number of seconds, minutes, hours or days."""


def is_duration(text: str) -> bool:
    """Whether a text is a `Duration`."""
    return re.fullmatch(_PATTERN, text) is not None


def duration_s(text: str) -> int:
    """Seconds in a `Duration`."""
    return int(text[:-1]) * _SECONDS[text[-1]]
