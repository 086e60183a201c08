"""Which traces are meant: `version=1.2`, `experiment=support`, `since=2026-01-01,until=2026-01-08`, or together."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tracegauge.config.errors import ConfigError

_HINT = "write experiment=NAME, since=2026-01-31, until=2026-02-07T12:00, or TAG=VALUE; several with a comma between"


@dataclass(frozen=True)
class Selection:
    """Traces of some experiments that have these tags and were begun in this time."""

    text: str
    experiments: tuple[str, ...] = ()
    """By name; empty for all."""
    tags: dict[str, str] = field(default_factory=dict)
    since_ms: int | None = None
    """UTC, included."""
    until_ms: int | None = None
    """UTC, excluded."""

    @property
    def filter(self) -> str | None:
        """As an MLflow filter; None for no condition."""
        conditions = [f"tags.`{name}` = '{value}'" for name, value in self.tags.items()]
        if self.since_ms is not None:
            conditions.append(f"timestamp_ms >= {self.since_ms}")
        if self.until_ms is not None:
            conditions.append(f"timestamp_ms < {self.until_ms}")
        return " AND ".join(conditions) or None


def parse_selection(text: str) -> Selection:
    """Read a selection. Raises ConfigError for what is none."""
    found: dict[str, Any] = {"experiments": (), "tags": {}}
    for part in text.split(","):
        key, equals, value = (one.strip() for one in part.partition("="))
        if not (key and equals and value) or "'" in value or "`" in key:
            raise ConfigError(f"{part!r} in {text!r} chooses no traces", hint=_HINT)
        if key == "experiment":
            found["experiments"] = (*found["experiments"], value)
        elif key in ("since", "until"):
            found[f"{key}_ms"] = _milliseconds(value, text)
        else:
            found["tags"][key.removeprefix("tags.")] = value
    return Selection(text, **found)


def _milliseconds(value: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ConfigError(f"{value!r} in {text!r} is no time", hint=_HINT) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
