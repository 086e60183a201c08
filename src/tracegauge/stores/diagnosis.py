"""What the doctor found."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

_SHOWN = 3


class Complaint(BaseModel):
    """One thing that is wrong, or worth knowing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Literal["problem", "note"]
    what: str
    """What it concerns: `schema`, `artifacts`, …"""
    message: str
    advice: str
    count: int = 1
    examples: tuple[str, ...] = ()
    """Some of the places, at most three."""


class Diagnosis(BaseModel):
    """What a store is, what it holds and what is wrong with it."""

    model_config = ConfigDict(extra="forbid")

    uri: str
    """Without a password."""
    kind: Literal["file store", "database", "server"]
    facts: dict[str, str] = {}
    """What it is: schema version, size, …"""
    holds: dict[str, int] = {}
    """How many of each kind it holds."""
    complaints: list[Complaint] = []

    def problem(self, what: str, message: str, advice: str, examples: list[str] | None = None) -> None:
        """Add something that is wrong; with examples, as many as there are."""
        self._add("problem", what, message, advice, examples)

    def note(self, what: str, message: str, advice: str, examples: list[str] | None = None) -> None:
        """Add something worth knowing."""
        self._add("note", what, message, advice, examples)

    def _add(
        self, severity: Literal["problem", "note"], what: str, message: str, advice: str, examples: list[str] | None
    ) -> None:
        found = examples or []
        self.complaints.append(
            Complaint(
                severity=severity,
                what=what,
                message=message,
                advice=advice,
                count=max(1, len(found)),
                examples=tuple(found[:_SHOWN]),
            )
        )

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return all(complaint.severity == "note" for complaint in self.complaints)
