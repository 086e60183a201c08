"""The source file of a code judge's function, found without running it."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

from tracegauge.config.errors import ConfigError


def source_of(reference: str) -> bytes:
    """What the file holds that `module:function` or `file.py:function` names.

    Raises ConfigError where there is no such file. Packages around a module are imported, the module itself isn't.
    """
    module = reference.rpartition(":")[0]
    path = Path(module).expanduser() if module.endswith(".py") else _module_file(module)
    if path is None or not path.is_file():
        raise ConfigError(
            f"there is no source for the code judge {reference!r}",
            hint=f"looked in {Path.cwd()} and in what is installed; write package.module:function or file.py:function",
        )
    return path.read_bytes()


def _module_file(module: str) -> Path | None:
    top, _, rest = module.partition(".")
    local = Path.cwd() / Path(*module.split("."))
    for candidate in (local.with_suffix(".py"), local / "__init__.py"):
        if candidate.is_file():
            return candidate
    try:
        spec = importlib.util.find_spec(module) if rest or top in sys.modules else _top_level(top)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _top_level(name: str) -> importlib.machinery.ModuleSpec | None:
    return importlib.machinery.PathFinder.find_spec(name)
