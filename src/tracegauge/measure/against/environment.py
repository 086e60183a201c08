"""Building the environment of the other side: the packages that are installed here, but for what it needs otherwise.

The environment starts as a copy of the one that tracegauge runs in. pip is then asked for the wanted packages together
with everything that is installed already: its resolver keeps an installed version wherever that fits, so that only
what has to differ does. Environments are kept, under a name that tells what they were made of.
"""

import hashlib
import json
import os
import platform
import secrets
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tracegauge.config.errors import ConfigError
from tracegauge.measure.against.packages import Packages, installed_packages, plain_environ

_NOT_ASKED_FOR = {"pip", "setuptools", "wheel"}
_TAIL_LINES = 25


def environments_folder() -> Path:
    """Where environments are kept; anything in it may be deleted while no campaign runs."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "tracegauge" / "environments"


def environment_with(name: str, targets: Sequence[str], here: Packages, content: str) -> Path:
    """The interpreter of an environment with `targets`, arguments for pip, and otherwise the packages of `here`.

    `content` tells what the targets stand for, such as a commit; `name` is for people who look into the folder. The
    environment is built if there is none of the same content yet. Raises ConfigError, with the end of pip's output,
    where it can't be built; nothing is left behind then.
    """
    finished = environments_folder() / f"{name}-{_digest(here, content)}"
    if not finished.exists():
        try:
            finished.parent.mkdir(parents=True, exist_ok=True)
            _build(finished, targets, name)
        except OSError as error:
            raise ConfigError(
                f"the environment {finished} can't be written: {error.strerror}",
                hint="XDG_CACHE_HOME names another folder for caches",
            ) from error
    return _interpreter(finished)


def _digest(here: Packages, content: str) -> str:
    made_of = {
        "python": [platform.python_version(), platform.platform(), sys.base_prefix],
        "packages": {name: [package.version, package.digest] for name, package in sorted(here.items())},
        "content": content,
    }
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]


def _build(finished: Path, targets: Sequence[str], name: str) -> None:
    with _unfinished(finished) as folder:
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], name)
        _copy_packages(folder)
        python = str(_interpreter(folder))
        copied = installed_packages(python)
        if "pip" not in copied:
            _run([python, "-m", "ensurepip"], name)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        kept = sorted(copied.keys() - _NOT_ASKED_FOR - _broken(pip))
        _run([*pip, "install", *targets, *kept], name)
        try:
            folder.rename(finished)  # the interpreter finds its packages wherever its environment is called
        except OSError:
            if not finished.exists():  # else another run has built the same in the meantime
                raise


@contextmanager
def _unfinished(finished: Path) -> Iterator[Path]:
    folder = finished.with_name(f".{finished.name}.{secrets.token_hex(4)}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _interpreter(environment: Path) -> Path:
    return environment / "bin" / "python"


def _copy_packages(environment: Path) -> None:
    """Copy what is installed here, as hard links where both lie on one disk: pip replaces files, and changes none."""
    target = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    for folder in sorted((one for one in folders if one in sys.path), key=sys.path.index, reverse=True):
        shutil.copytree(folder, target, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _broken(pip: Sequence[str]) -> set[str]:
    """Packages whose requirements are not even met here: to ask for them would make every resolution fail."""
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False, env=plain_environ())
    return {line.split()[0].lower() for line in checked.stdout.splitlines() if " requires " in line or " has " in line}


def _run(command: Sequence[str], name: str) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=plain_environ()
    )
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-_TAIL_LINES:])
        raise ConfigError(f"the environment of {name} can't be built; it ended with:\n{tail}")
