"""What a campaign was compared with in itself: another revision of the code, or other packages."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageDifference(_Record):
    """A package that differs: in its version, or as another build of one version. None: it is not installed there."""

    name: str
    new: str | None
    """What is installed here."""
    old: str | None
    """What is installed in the other environment."""


class Against(_Record):
    """The other side of a campaign that measures old and new in the same blocks."""

    reference: str
    """As the user named it: a revision, or a requirement such as `mlflow==3.9.0`."""
    kind: Literal["revision", "requirement"]
    environment: str
    """The `Cell.environment` of the old side's cells."""
    commit: str | None = None
    """Of a revision: the commit that it stood for."""
    margin: float
    """Allowed relative change for the worse."""
    packages: tuple[PackageDifference, ...]
    """Every package that differs, by name."""
