"""What the tracker was configured with: a model, a mapping, or the attributes of a 2.9-era config object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from tracegauge.config.errors import ConfigError
from tracegauge.config.observability import Delivery, MLflowConfig, ObservabilityFile
from tracegauge.config.validation import check, parse
from tracegauge.prices import PriceTable, load_prices
from tracegauge.tracking.redaction import Redactor

DEFAULT_DELIVERY: Delivery = "lossless"
DEFAULT_EXPERIMENT = "Default"


def mlflow_config(config: object) -> MLflowConfig:
    """The configuration as a model. `None` means disabled, as it did in 2.9.

    `config` is an `MLflowConfig`, a mapping with its keys, or any object that has them as attributes (attributes that
    are `None` count as not set); or a whole configuration that holds `observability.mlflow`, at its top or under
    `config`, as a mapping or as the path of a YAML file. Raises ConfigError where something in it is not valid.
    """
    if config is None:
        return MLflowConfig()
    if isinstance(config, MLflowConfig):
        return config
    if isinstance(config, str | PathLike):
        return parse(Path(config), ObservabilityFile).mlflow
    if isinstance(config, Mapping):
        return check(config, ObservabilityFile).mlflow if _holds_it(config) else check(config, MLflowConfig)
    return check(
        {name: value for name in _known_keys() if (value := getattr(config, name, None)) is not None}, MLflowConfig
    )


def _holds_it(config: Mapping[str, Any]) -> bool:
    """Whether this is a whole configuration, rather than its part `observability.mlflow`."""
    inner = config.get("config")
    return "observability" in config or (isinstance(inner, Mapping) and "observability" in inner)


def _known_keys() -> Iterator[str]:
    yield from MLflowConfig.model_fields
    yield "use_autolog"


@dataclass(frozen=True)
class WorkflowFacts:
    """What the tracker records about the workflow it tracks; all of it is optional."""

    name: str | None = None
    version: str | None = None
    schema_version: str | None = None
    model: str | None = None
    temperature: float | None = None
    provider: str | None = None

    @classmethod
    def of(cls, workflow_config: object) -> "WorkflowFacts":
        """Read from a workflow config (2.9's or ours): its `flow`, `schema_version` and `config.llm`."""
        flow, llm = _get(workflow_config, "flow"), _get(_get(workflow_config, "config"), "llm")
        return cls(
            name=_get(flow, "name"),
            version=_get(flow, "version"),
            schema_version=_get(workflow_config, "schema_version"),
            model=_get(llm, "model"),
            temperature=_get(llm, "temperature"),
            provider=_get(llm, "provider"),
        )


def _get(value: Any, name: str) -> Any:
    """An item of a mapping or an attribute of an object; None where there is neither."""
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


@dataclass(frozen=True)
class Settings:
    """Everything a tracker goes by."""

    config: MLflowConfig
    workflow: WorkflowFacts
    redactor: Redactor
    prices: PriceTable

    @classmethod
    def of(cls, config: object, workflow_config: object) -> "Settings":
        """Read them from what the tracker was given. Raises ConfigError where something in it can't be used."""
        checked = mlflow_config(config)
        try:
            prices = load_prices(checked.prices)
        except (OSError, ValueError) as error:
            raise ConfigError(f"observability.mlflow.prices: {error}") from error
        return cls(checked, WorkflowFacts.of(workflow_config), Redactor(checked.redact), prices)

    @property
    def delivery(self) -> Delivery:
        """The delivery in force."""
        if self.config.delivery is not None:
            return self.config.delivery
        return "sync" if self.config.async_logging is False else DEFAULT_DELIVERY

    @property
    def experiment_name(self) -> str:
        """The experiment of new runs and traces."""
        return self.config.experiment_name or self.workflow.name or DEFAULT_EXPERIMENT

    @property
    def root_name(self) -> str | None:
        """The name of new traces."""
        return self.config.run_name or self.workflow.name
