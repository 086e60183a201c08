"""What is installed in an environment, and in what two environments differ."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from tracegauge.results.against import PackageDifference

_LIST = """
import hashlib, importlib.metadata, json, re
found = {}
for dist in importlib.metadata.distributions():
    name = re.sub(r"[-_.]+", "-", dist.metadata["Name"] or "").lower()
    files = "".join(dist.read_text(file) or "" for file in ("RECORD", "direct_url.json"))
    source = json.loads(dist.read_text("direct_url.json") or "{}")
    found.setdefault(name, {
        "version": dist.version,
        "digest": hashlib.sha256(files.encode()).hexdigest(),
        "folder": source["url"].removeprefix("file://") if "dir_info" in source else None,
    })
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Package:
    """One installed package."""

    version: str
    digest: str
    """Of its files and where they came from: another build of the same version has another one."""
    folder: str | None
    """The folder that it was installed from, editable or not; None for what came from an index or a file."""


Packages = Mapping[str, Package]
"""By normalised name (PEP 503)."""


def installed_packages(interpreter: str) -> Packages:
    """All packages that an interpreter finds by itself, leaving out what PYTHONPATH adds to them."""
    found = subprocess.run(
        [interpreter, "-P", "-c", _LIST], capture_output=True, text=True, check=True, env=plain_environ()
    )
    return {name: Package(**one) for name, one in json.loads(found.stdout).items() if name}


def plain_environ() -> dict[str, str]:
    """The environment variables without those that change which modules an interpreter finds."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def differences(new: Packages, old: Packages) -> tuple[PackageDifference, ...]:
    """Every package that is not the same in both, by name."""
    return tuple(
        PackageDifference(name=name, new=_version(new, name), old=_version(old, name))
        for name in sorted(new.keys() | old.keys())
        if new.get(name) != old.get(name)
    )


def _version(packages: Packages, name: str) -> str | None:
    return packages[name].version if name in packages else None
