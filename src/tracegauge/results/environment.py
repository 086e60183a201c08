"""Where a campaign was measured."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

ENVIRONMENT_SCHEMA_VERSION: Final = 2


class Environment(BaseModel):
    """The machine and the software: the content of `environment.json`. None means that it could not be found out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2] = ENVIRONMENT_SCHEMA_VERSION
    measured_at: str
    """UTC, ISO 8601."""
    host: str
    cpu_model: str | None
    cpu_cores: int
    """Logical cores that this process may use."""
    cpu_governor: str | None
    load_average_1m: float | None
    memory_bytes: int
    swap_used_bytes: int | None = None
    other_campaigns: int = 0
    """Other processes of tracegauge that were measuring at the same time."""
    disk_type: str | None
    """Filesystem type of the folder that the stores stand in, and whether the device rotates, e.g. `ext4, ssd`."""
    os: str
    python: str
    packages: dict[str, str]
    """Versions of the packages that matter: mlflow, langgraph, langchain-core, tracegauge, …"""
    git_commit: str | None
    git_dirty: bool | None
    store_setup_ms: dict[str, float] = {}
    """Per backend: what making one new, empty store costs."""
