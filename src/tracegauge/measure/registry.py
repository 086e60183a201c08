"""A small registry of named plug-ins: ours, and those that other packages offer by entry points."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from tracegauge.config.errors import ConfigError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Plug-ins of one kind by name, made at first use.

    `built_in` maps names to `module:attribute`; other packages add theirs under the entry point group. The attribute
    is a class that is called without arguments.
    """

    def __init__(self, kind: str, group: str, built_in: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self._built_in = dict(built_in)
        self._made: dict[str, T] = {}

    def names(self) -> list[str]:
        """All names that can be used, ours first."""
        return [
            *self._built_in,
            *(point.name for point in entry_points(group=self.group) if point.name not in self._built_in),
        ]

    def get(self, name: str) -> T:
        """The plug-in of that name. Raises ConfigError if there is none, or if it can't be imported."""
        if name not in self._made:
            self._made[name] = self._load(name)()
        return self._made[name]

    def _load(self, name: str) -> Any:
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            return getattr(import_module(module), attribute)
        for point in entry_points(group=self.group):
            if point.name == name:
                try:
                    return point.load()
                except Exception as error:
                    whose = point.dist.name if point.dist else point.value
                    raise ConfigError(f"{self.kind} {name!r} of {whose} can't be imported: {error!r}") from error
        raise ConfigError(f"unknown {self.kind} {name!r}", hint=nearest(name, self.names()))
