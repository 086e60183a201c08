"""What did not go the plain way: every file or value that was skipped or changed, with the reason."""

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict

Action = Literal["skipped", "changed", "noted"]


class Finding(BaseModel):
    """One file, line or value of the source that did not arrive exactly as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    """`skipped`: it is not in the target; `changed`: not exactly as it was; `noted`: it is,
    and is worth a look."""
    kind: str
    """What it is: `run`, `metric line`, `span`, …"""
    path: str
    """The file it stands in, with `:line` where that helps."""
    reason: str
    """Why, in words."""
    count: int = 1
    """How many of that kind this finding stands for."""


class Findings:
    """Collects findings while a store is read."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def skipped(self, kind: str, path: str, reason: str, count: int = 1) -> None:
        """Keep that something is not in the target."""
        self.items.append(Finding(action="skipped", kind=kind, path=path, reason=reason, count=count))

    def changed(self, kind: str, path: str, reason: str, count: int = 1) -> None:
        """Keep that something is in the target, but not exactly as it was."""
        self.items.append(Finding(action="changed", kind=kind, path=path, reason=reason, count=count))

    def noted(self, kind: str, path: str, reason: str, count: int = 1) -> None:
        """Keep that something arrived as it was but deserves a look."""
        self.items.append(Finding(action="noted", kind=kind, path=path, reason=reason, count=count))

    def totals(self) -> dict[Action, int]:
        """How many things were skipped, changed and noted."""
        totals: Counter[Action] = Counter()
        for item in self.items:
            totals[item.action] += item.count
        return {"skipped": totals["skipped"], "changed": totals["changed"], "noted": totals["noted"]}
