"""YAML files whose every key and value is remembered with its line and column."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

import yaml

from tracegauge.config.errors import ConfigError
from tracegauge.config.yaml_12 import Loader

KeyPath = tuple[str | int, ...]
"""Where something stands in a document: keys of mappings and indices of lists, from the top."""

_MERGE = "tag:yaml.org,2002:merge"
_MOST_VALUES = 200_000
"""A few lines of YAML can stand for any number of values: aliases of aliases."""


@dataclass(frozen=True)
class Position:
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class YamlDocument:
    """The content of a YAML file, and where its parts stand."""

    file: str
    data: Any
    """What the file holds; a dict, unless it was read with `load_any_yaml`."""
    keys: dict[KeyPath, Position] = field(repr=False)
    """Where each key (or list item) begins."""
    values: dict[KeyPath, Position] = field(repr=False)
    """Where each value begins."""
    text: str = field(default="", repr=False)
    """The file's text."""

    def position_of(self, piece: str, start: Position) -> Position:
        """Where a piece of a longer value stands, from the value's start on; the start if it isn't there as it is."""
        lines = self.text.splitlines()[start.line - 1 :]
        for number, line in enumerate(lines, start=start.line):
            column = line.find(piece, start.column - 1 if number == start.line else 0)
            if column >= 0:
                return Position(number, column + 1)
        return start

    def position(self, path: KeyPath, *, of_key: bool = False) -> Position:
        """Where the value (or its key) at this path stands; for what isn't there, the nearest part around it."""
        places = self.keys if of_key else self.values
        while path and path not in places:
            path = path[:-1]
        return places.get(path, Position(1, 1))

    def located(self, error: ConfigError) -> ConfigError:
        """The error with its place in this document, where it has a path and no place yet."""
        if error.file is not None or not error.path:
            return error
        place = self.position(error.path)
        return ConfigError(error.message, self.file, place.line, place.column, error.hint, error.others)

    def error(self, message: str, path: KeyPath, *, of_key: bool = False, hint: str | None = None) -> ConfigError:
        """An error about the value (or the key) at this path."""
        place = self.position(path, of_key=of_key)
        return ConfigError(message, file=self.file, line=place.line, column=place.column, hint=hint)


def load_yaml(path: str | Path) -> YamlDocument:
    """Read a YAML file whose top level is a mapping.

    Raises ConfigError, with line and column where there is one, for a file that can't be read, is not UTF-8, is no
    YAML, is empty, gives a key twice, or holds something else than a mapping.
    """
    return parse_yaml(_read(str(path)), str(path))


def load_any_yaml(path: str | Path) -> YamlDocument:
    """Read a YAML or JSON file of any content, such as a list of inputs. Raises ConfigError like `load_yaml`."""
    file = str(path)
    text = _read(file)
    if file.endswith(".json"):
        _check_json(text, file)
        text = text.replace("\t", " ")  # JSON may be indented with tabs, YAML may not; JSON's strings hold none
    return _parse(text, file)


def parse_yaml(text: str, file: str) -> YamlDocument:
    """`load_yaml` for a text at hand; `file` is the name that errors give."""
    document = _parse(text, file)
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else repr(document.data)
        raise document.error(f"the file holds {kind}, not a mapping", (), hint="write `key: value` lines")
    return document


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=file) from None
    except UnicodeDecodeError as error:
        good = error.object[: error.start]
        raise ConfigError(
            f"byte {error.object[error.start]:#04x} is not UTF-8",
            file=file,
            line=good.count(b"\n") + 1,
            column=len(good.rpartition(b"\n")[2].decode("utf-8")) + 1,
            hint="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise ConfigError(f"the file can't be read: {error.strerror}", file=file) from None


def _check_json(text: str, file: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"this is not JSON: {error.msg}", file=file, line=error.lineno, column=error.colno) from None


def _parse(text: str, file: str) -> YamlDocument:
    try:
        loader = Loader(text)
    except yaml.reader.ReaderError as error:
        good = text[: error.position]
        raise ConfigError(
            f"this is not YAML: the character #x{error.character:04x} is not allowed",
            file=file,
            line=good.count("\n") + 1,
            column=len(good.rpartition("\n")[2]) + 1,
        ) from None
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigError("the file is empty", file=file, line=1, column=1)
        return _Composer(loader, file).document(node, text)
    except yaml.MarkedYAMLError as error:
        _raise_not_yaml(error, file)
    except RecursionError:
        raise ConfigError("this is nested too deeply", file=file) from None
    finally:
        loader.dispose()


def _raise_not_yaml(error: yaml.MarkedYAMLError, file: str) -> Never:
    mark = error.problem_mark or error.context_mark
    began = error.context_mark if error.context_mark is not mark else None
    raise ConfigError(
        f"this is not YAML: {error.problem}",
        file=file,
        line=mark.line + 1 if mark else None,
        column=mark.column + 1 if mark else None,
        hint=f"{error.context} that begins in line {began.line + 1}" if began else None,
    ) from None


class _Composer:
    """Builds the data from YAML's nodes, and takes down where they stand."""

    def __init__(self, loader: Loader, file: str) -> None:
        self._loader = loader
        self._file = file
        self._keys: dict[KeyPath, Position] = {}
        self._values: dict[KeyPath, Position] = {}
        self._checked: set[int] = set()

    def document(self, node: yaml.Node, text: str) -> YamlDocument:
        data = self._value(node, ())
        return YamlDocument(self._file, data, self._keys, self._values, text)

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        place = _position(node)
        self._values[path] = place
        self._keys.setdefault(path, place)
        if len(self._values) > _MOST_VALUES:
            raise ConfigError(f"the file stands for more than {_MOST_VALUES} values", file=self._file)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*path, i)) for i, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        try:
            return self._loader.construct_object(node, deep=True)
        except (ValueError, TypeError, AttributeError):  # such as `!!int x`; PyYAML expects no such text
            raise self._error(f"{node.value!r} is no {node.tag.rpartition(':')[2]}", place) from None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self._check_keys(node)
        self._loader.flatten_mapping(node)  # `<<: *other`: what is merged comes first, and own keys go over it
        # Each key once: where this mapping is merged elsewhere, PyYAML 6.0.4 takes the first of two, the merged one.
        node.value = list({key_node.value: (key_node, value_node) for key_node, value_node in node.value}.values())
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._loader.construct_object(key_node, deep=True)
            self._keys[(*path, key)] = _position(key_node)
            found[key] = self._value(value_node, (*path, key))
        return found

    def _check_keys(self, node: yaml.MappingNode) -> None:
        """Keys are texts, each given once."""
        if id(node) in self._checked:  # an alias stands for it; by now it may hold merged keys
            return
        self._checked.add(id(node))
        seen: dict[str, Position] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            place = _position(key_node)
            key = self._loader.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise self._error(f"the key {key!r} is not a text", place, hint=f'write "{key}" in quotes')
            if key in seen:
                raise self._error(
                    f"the key {key!r} is given twice", place, hint=f"its first place is line {seen[key].line}"
                )
            seen[key] = place

    def _error(self, message: str, place: Position, hint: str | None = None) -> ConfigError:
        return ConfigError(message, file=self._file, line=place.line, column=place.column, hint=hint)


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
