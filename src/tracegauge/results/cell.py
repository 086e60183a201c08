"""A cell: one combination of workflow, instrument, backend, delivery, concurrency and environment."""

from pydantic import BaseModel, ConfigDict

MLFLOW_DELIVERY = "mlflow"


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

    @property
    def id(self) -> str:
        """A stable, readable id such as `article_writer-autolog-sqlite-c1`.

        It depends on nothing but the cell itself. MLflow's own delivery is left out, as the usual one.
        """
        delivery = None if self.delivery == MLFLOW_DELIVERY else self.delivery
        parts = [self.workflow, self.instrument, self.backend, delivery, f"c{self.concurrency}", self.environment]
        return "-".join(part for part in parts if part)
