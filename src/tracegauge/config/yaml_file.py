"""YAML files whose every key and value is remembered with its line and column."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tracegauge.config.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""Where something stands in a document: keys of mappings and indices of lists, from the top."""


@dataclass(frozen=True)
class Position:
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class YamlDocument:
    """The content of a YAML file, and where its parts stand."""

    file: str
    data: dict[str, Any]
    keys: dict[KeyPath, Position] = field(repr=False)
    """Where each key (or list item) begins."""
    values: dict[KeyPath, Position] = field(repr=False)
    """Where each value begins."""

    def position(self, path: KeyPath, *, of_key: bool = False) -> Position:
        """Where the value (or its key) at this path stands; for what isn't there, the nearest part around it."""
        places = self.keys if of_key else self.values
        while path and path not in places:
            path = path[:-1]
        return places.get(path, Position(1, 1))

    def error(self, message: str, path: KeyPath, *, of_key: bool = False, hint: str | None = None) -> ConfigError:
        """An error about the value (or the key) at this path."""
        place = self.position(path, of_key=of_key)
        return ConfigError(message, file=self.file, line=place.line, column=place.column, hint=hint)


class _Loader(yaml.SafeLoader):
    """The safe loader with the booleans of YAML 1.2: `off`, `on`, `yes` and `no` are words, not truth values."""


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, yaml.resolver.re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def load_yaml(path: str | Path) -> YamlDocument:
    """Read a YAML file whose top level is a mapping.

    Raises ConfigError, with line and column where there is one, for a file that can't be read, is not UTF-8, is no
    YAML, is empty, gives a key twice, or holds something else than a mapping.
    """
    file = str(path)
    text = _read(file)
    return parse_yaml(text, file)


def load_any_yaml(path: str | Path) -> Any:
    """Read a YAML or JSON file of any content, such as a list of inputs. Raises ConfigError like `load_yaml`."""
    file = str(path)
    document = _compose(_read(file), file)
    return None if document is None else document.data


def parse_yaml(text: str, file: str) -> YamlDocument:
    """`load_yaml` for a text at hand; `file` is the name that errors give."""
    found = _compose(text, file)
    if found is None:
        raise ConfigError("the file is empty", file=file, line=1, column=1)
    if not isinstance(found.data, dict):
        kind = "a list" if isinstance(found.data, list) else repr(found.data)
        place = found.values[()]
        raise ConfigError(
            f"the file holds {kind}, not a mapping", file=file, line=place.line, column=place.column, hint="write `key: value` lines"
        )
    return found


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=file) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"byte {error.object[error.start]:#04x} is not UTF-8", file=file, line=line, hint="save the file as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"the file can't be read: {error.strerror}", file=file) from error


def _compose(text: str, file: str) -> YamlDocument | None:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        document = YamlDocument(file, {}, {}, {})
        data = _construct(loader, node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        raise ConfigError(f"this is not YAML: {error.problem}", file=file, **place) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError(f"this is not YAML: {error.reason} (#x{error.character:04x})", file=file, line=line) from error
    except RecursionError:
        raise ConfigError("this is nested too deeply", file=file) from None
    finally:
        loader.dispose()
    return YamlDocument(file, data, document.keys, document.values)


def _construct(loader: _Loader, node: yaml.Node, path: KeyPath, document: YamlDocument) -> Any:
    place = Position(node.start_mark.line + 1, node.start_mark.column + 1)
    document.values[path] = place
    document.keys.setdefault(path, place)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, child, (*path, i), document) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        return _mapping(loader, node, path, document)
    return loader.construct_object(node, deep=True)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: KeyPath, document: YamlDocument) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = Position(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise ConfigError(
                f"the key {key!r} is not a text",
                file=document.file,
                line=place.line,
                column=place.column,
                hint=f'write "{key}" in quotes',
            )
        if key in found:
            first = document.keys[(*path, key)]
            raise ConfigError(
                f"the key {key!r} is given twice",
                file=document.file,
                line=place.line,
                column=place.column,
                hint=f"its first place is line {first.line}",
            )
        document.keys[(*path, key)] = place
        found[key] = _construct(loader, value_node, (*path, key), document)
    return found
