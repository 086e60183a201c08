"""The `observability` part of a workflow file: how its runs are tracked."""

from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from tracegauge.config.validation import PlacedError

Delivery = Literal["mlflow", "sync", "lossless"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MLflowConfig(_Model):
    """`observability.mlflow`: what a team sets to trace its agents with MLflow.

    Every 2.9-era key keeps working. Settings: this file > environment (`MLFLOW_TRACKING_URI`, …) > default.
    """

    enabled: bool = False
    """Off by default: without it the tracker does nothing at all."""
    tracking_uri: str | None = None
    """An MLflow tracking URI; paths are relative to the current directory.
    Default: `MLFLOW_TRACKING_URI`, else an existing `./mlruns` with data, else `sqlite:///mlflow.db`."""
    experiment_name: str | None = None
    """Default: the workflow's name."""
    run_name: str | None = None
    """Name of a workflow's run or trace. Default: `<workflow>_<YYYYmmdd_HHMMSS>`."""
    autolog_enabled: bool = Field(default=False, validation_alias=AliasChoices("autolog_enabled", "use_autolog"))
    """Trace LangGraph with `mlflow.langchain.autolog()`."""
    log_prompts: bool = True
    """Store prompts and responses of model calls. (The state that nodes pass on is stored with their spans: see
    `redact`.)"""
    log_artifacts: bool = True
    """Store artifacts (`inputs.json`, `prompt.txt`, …) with runs."""
    artifact_level: Literal["minimal", "standard", "full"] = "standard"
    """`minimal`: inputs, outputs and errors of workflows; `standard`: prompts and responses of nodes too;
    `full`: tags with prompts and responses are not shortened either."""
    delivery: Delivery | None = None
    """How finished spans reach the backend: MLflow's asynchronous export, synchronously, or without loss (default)."""
    async_logging: bool | None = None
    """2.9-era: `false` means `delivery: sync`."""
    fallback_uri: str = "sqlite:///mlflow.db"
    """Where tracking goes when an http(s) tracking URI can't be used."""
    server_check_timeout_s: float = Field(default=3.0, gt=0)
    """Seconds that the check of an http(s) tracking URI may take, and any delay of an invocation by tracking."""
    redact: tuple[str, ...] = ()
    """Regular expressions; what they match is replaced on every way out."""
    sample_rate: float = Field(default=1.0, ge=0, le=1)
    """Share of invocations that are traced."""
    prices: str | None = None
    """A YAML file of model prices, in the form of the built-in table, whose models come before the built-in ones."""


class LoggingConfig(_Model):
    """`observability.logging`."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """Level of the `tracegauge` logger while the workflow runs."""


class ObservabilityConfig(_Model):
    """`observability`, at the top level of a workflow file or under its `config`."""

    mlflow: MLflowConfig = MLflowConfig()
    logging: LoggingConfig = LoggingConfig()


def one_observability(top: ObservabilityConfig | None, under_config: ObservabilityConfig | None) -> ObservabilityConfig:
    """The one of the two places that holds it; the defaults where neither does. Raises PlacedError where both do."""
    if top is not None and under_config is not None:
        raise PlacedError("`observability` stands at the top level or under `config`, not in both", "observability")
    return top or under_config or ObservabilityConfig()


class _Settings(BaseModel):
    observability: ObservabilityConfig | None = None


class ObservabilityFile(BaseModel):
    """Any configuration that holds `observability`, at its top or under `config`; what else it holds is its own."""

    observability: ObservabilityConfig | None = None
    config: _Settings | None = None

    @model_validator(mode="after")
    def _one_observability(self) -> Self:
        one_observability(self.observability, self._under_config)
        return self

    @property
    def _under_config(self) -> ObservabilityConfig | None:
        return self.config.observability if self.config else None

    @property
    def mlflow(self) -> MLflowConfig:
        """`observability.mlflow`, from wherever it stands; the defaults where it does not."""
        return one_observability(self.observability, self._under_config).mlflow
