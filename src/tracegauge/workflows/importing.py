"""Importing what a user names: `package.module:attribute` or `path/to/file.py:attribute`."""

import hashlib
import importlib
import importlib.util
import sys
import sysconfig
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
        hint = "write package.module:attribute or path/to/file.py:attribute"
        raise ConfigError(f"{reference!r} names no {what}", hint=hint)
    value: Any = _module(module_name, what)
    for part in attribute.split("."):
        if not hasattr(value, part):
            names = [name for name in vars(value) if not name.startswith("_")] if hasattr(value, "__dict__") else []
            raise ConfigError(f"{module_name} has no {part!r} to be a {what}", hint=nearest(part, names))
        value = getattr(value, part)
    return value


def _module(name: str, what: str) -> ModuleType:
    path = Path(name).expanduser()
    is_file = name.endswith(".py")
    if is_file and not path.is_file():
        raise ConfigError(f"there is no file {name!r} with a {what}", hint=f"looked for in {Path.cwd()}")
    try:
        if is_file:
            return _from_file(path.resolve())
        make_importable(Path.cwd())
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise failed(f"importing {name} failed", error) from error


def failed(what: str, error: BaseException) -> ConfigError:
    """What failed in a user's code, with the original error and where.

    The place is the innermost line of the user's own; lines of installed packages below it are told only with it.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and not Path(frame.filename).is_relative_to(Path(__file__).parent)
    ]
    own = [frame for frame in frames if not _is_installed(frame.filename)]
    told = frames[-_FRAMES:] if not own or own[-1] is frames[-1] else [*own[1 - _FRAMES :], frames[-1]]
    lines = [f"{frame.filename}:{frame.lineno}: {frame.line}" for frame in told]
    hint = "\n  ".join(lines) or "is it installed here, or is its folder the current one?"
    place = next(reversed(own or frames), None)
    if isinstance(error, SyntaxError) and error.filename:
        return ConfigError(f"{what}: {type(error).__name__}: {error.msg}", error.filename, error.lineno, error.offset)
    return ConfigError(
        f"{what}: {type(error).__name__}: {error}",
        file=place.filename if place else None,
        line=place.lineno if place else None,
        hint=hint,
    )


def _is_installed(file: str) -> bool:
    """Whether a file is of Python itself or of an installed package."""
    path = Path(file)
    return path.is_relative_to(sysconfig.get_path("stdlib")) or "site-packages" in path.parts


def make_importable(folder: Path) -> None:
    """Let modules in this folder be imported from now on: a graph may import more when it runs."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _from_file(path: Path) -> ModuleType:
    """The module of a file: by its name in the packages that it lies in, so that its relative imports work."""
    root, names = path.parent, [path.stem]
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    make_importable(root)
    if len(names) > 1:
        return importlib.import_module(".".join(names))
    name = path.stem
    if name in sys.stdlib_module_names or (name in sys.modules and not _is_from(sys.modules[name], path)):
        name = f"{name}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    return sys.modules[name] if name in sys.modules else _execute(path, name)


def _is_from(module: ModuleType, path: Path) -> bool:
    return getattr(module, "__file__", None) == str(path)


def _execute(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
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
