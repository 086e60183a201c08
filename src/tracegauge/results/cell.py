"""A cell: one combination of workflow, instrument, backend, delivery, concurrency and environment."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

USUAL_DELIVERY = "lossless"
"""The tracker's default."""


class Cell(BaseModel):
    """One point of the measured matrix; equal cells have equal ids.

    `backend` is None for an instrument that stores nothing (`off`), `delivery` is None for one that has no
    span export (`off`, `legacy_runs`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow: str
    """Short name of the workflow, unique within a campaign."""
    instrument: str
    backend: str | None = None
    delivery: str | None = None
    concurrency: int = 1
    """How many threads invoke the workflow at once."""
    environment: str | None = None
    """Which software it runs on: None for what is installed here, else the name of what that is compared with."""
    control: Literal["aa", "injected"] | None = None
    """Not a point of the matrix but one repeated: unchanged (`aa`), or slowed down on purpose (`injected`)."""
    slowdown: float = Field(default=0.0, ge=0)
    """By what share of its own duration each invocation is slowed down; only of an `injected` cell."""

    @property
    def id(self) -> str:
        """A stable, readable id such as `article_writer-autolog-sqlite-c1`.

        It depends on nothing but the cell itself. The tracker's default delivery is left out. Controls end in
        `-aa` and, for a slowdown of 10%, `-injected10`.
        """
        delivery = None if self.delivery == USUAL_DELIVERY else self.delivery
        parts = [
            self.workflow,
            self.instrument,
            self.backend,
            delivery,
            f"c{self.concurrency}",
            self.environment,
            self._control,
        ]
        return "-".join(part for part in parts if part)

    @property
    def _control(self) -> str | None:
        return f"injected{self.slowdown * 100:g}" if self.control == "injected" else self.control
