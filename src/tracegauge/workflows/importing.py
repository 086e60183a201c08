"""Importing what a user names: `package.module:attribute` or `path/to/file.py:attribute`."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from tracegauge.config.errors import ConfigError, nearest

_FRAMES = 4


def import_attribute(reference: str, what: str) -> Any:
    """The attribute that `module:attribute` or `file.py:attribute` names; `what` says in errors what it should be.

    Modules are looked for in the current directory too. Raises ConfigError, with the original error, where importing
    fails, and for a name that the module doesn't have.
    """
    module_name, _, attribute = reference.rpartition(":")
    if not module_name or not attribute:
        raise ConfigError(f"{reference!r} names no {what}", hint="write package.module:attribute or path/to/file.py:attribute")
    module = _module(module_name, what)
    value: Any = module
    for part in attribute.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            names = [name for name in vars(value) if not name.startswith("_")] if hasattr(value, "__dict__") else []
            raise ConfigError(f"{module_name} has no {part!r} to be a {what}", hint=nearest(part, names)) from None
    return value


def _module(name: str, what: str) -> ModuleType:
    is_file = name.endswith(".py")
    path = Path(name)
    if is_file and not path.is_file():
        raise ConfigError(f"there is no file {name!r} with a {what}", hint=f"looked for in {Path.cwd()}")
    try:
        make_importable(path.resolve().parent if is_file else Path.cwd())
        return _from_file(path) if is_file else importlib.import_module(name)
    except Exception as error:
        raise ConfigError(f"importing {name} failed: {type(error).__name__}: {error}", hint=_where(error)) from error


def make_importable(folder: Path) -> None:
    """Let modules in this folder be imported from now on: a graph may import more when it runs."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _from_file(path: Path) -> ModuleType:
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path.resolve()):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _where(error: Exception) -> str:
    """The innermost frames of the error that are not the import system's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    lines = [f"{frame.filename}:{frame.lineno}: {frame.line}" for frame in frames[-_FRAMES:]]
    return "\n  ".join(lines) or "is it installed here, and is its folder the current one?"
