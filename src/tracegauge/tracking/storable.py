"""What a store can take of any value. Nothing here raises: tracking must not fail for what it is shown."""

from collections.abc import Mapping
from typing import Any

DEPTH = 50
"""How far nested values are followed; the interpreter's own limit is not much higher where much is on its stack."""


def text_of(value: Any) -> str:
    """The value as text, or its type's name where it refuses."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def storable_text(text: str) -> str:
    """The text without what databases refuse: halves of surrogate pairs, as truncated JSON has them, and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def plain(value: Any, _above: tuple[int, ...] = ()) -> Any:
    """The value in JSON's types: models and messages as their fields, keys and everything else as texts."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if id(value) in _above or len(_above) >= DEPTH:
        return f"<{type(value).__name__}>"
    above = (*_above, id(value))
    try:
        if isinstance(value, Mapping):
            return {
                key if key is None or isinstance(key, (str, int, float)) else text_of(key): plain(item, above)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain(item, above) for item in value]
        dump = getattr(value, "model_dump", None)
        if callable(dump):
            return plain(dump(mode="json"), above)
    except Exception:
        return f"<{type(value).__name__}>"
    return text_of(value)
