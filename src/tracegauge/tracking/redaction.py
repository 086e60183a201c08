"""What must not be stored: text that matches one of the configured regular expressions."""

import json
import re
from collections.abc import Iterable
from typing import Any

from tracegauge.config.errors import ConfigError

REPLACEMENT = "[REDACTED]"


class Redactor:
    """Replaces what the patterns match, in texts and in whatever holds texts."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ConfigError for a pattern that is no regular expression."""
        self._patterns = [_compiled(pattern) for pattern in patterns]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def text(self, text: str) -> str:
        """The text without what must not be stored. JSON within it, as in arguments of tool calls, is looked into."""
        for pattern in self._patterns:
            text = pattern.sub(REPLACEMENT, text)
        return self._inside(text, otherwise=text) if text[:1] in ("{", "[", '"') else text

    def key(self, key: str) -> str:
        """The same for a name of something, in which stores allow few characters."""
        for pattern in self._patterns:
            key = pattern.sub(REPLACEMENT.strip("[]"), key)
        return key

    def value(self, value: Any) -> Any:
        """The same for texts and numbers in mappings, lists and tuples; other objects are returned as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return REPLACEMENT if any(pattern.search(str(value)) for pattern in self._patterns) else value
        return value

    def json(self, text: str) -> str:
        """The same for a JSON text, in which quotes, line ends and letters may be escaped."""
        return self._inside(text, otherwise=None)

    def content(self, content: bytes) -> bytes:
        """The same for bytes, as far as they are text."""
        text = content.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def _inside(self, text: str, otherwise: str | None) -> str:
        try:
            value = json.loads(text)
        except ValueError:
            return self.text(text) if otherwise is None else otherwise
        redacted = self.value(value)
        return text if redacted == value else json.dumps(redacted)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"observability.mlflow.redact: {pattern!r} is no regular expression: {error}",
            hint="backslashes are kept in single quotes: redact: ['sk-[A-Za-z0-9]+', '\\b\\d{16}\\b']",
        ) from error
