"""What `--against` names: a git revision of the user's repository, or a requirement such as `mlflow==3.9.0`."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tracegauge.config.errors import ConfigError

_NO_NAME = re.compile(r"[^A-Za-z0-9._]+")


@dataclass(frozen=True)
class RequirementReference:
    """The packages that are installed here, but for what this requirement asks for."""

    text: str

    @property
    def environment(self) -> str:
        """The name of this side in the ids of its cells: `mlflow-3.9.0`."""
        return _as_name(self.text.replace("==", "-"))


@dataclass(frozen=True)
class Revision:
    """The code of the repository that the current directory lies in, as it was at a commit."""

    text: str
    commit: str
    repository: Path
    """Its top folder."""

    @property
    def environment(self) -> str:
        """The name of this side in the ids of its cells: the revision as the user named it."""
        return _as_name(self.text)


Reference = RequirementReference | Revision


def parse_reference(text: str) -> Reference:
    """A requirement if it names a package with its version or place, else a revision of the current repository.

    Raises ConfigError for a revision that doesn't exist, or outside of a repository.
    """
    requirement = _requirement(text)
    if requirement is not None and (requirement.specifier or requirement.url):
        return RequirementReference(text.strip())
    wanted = "name a revision that exists, or a requirement with its version, such as mlflow==3.9.0"
    top = _git("rev-parse", "--show-toplevel")
    if top is None:
        raise ConfigError(f"--against {text!r}: {Path.cwd()} is not in a git repository", hint=wanted)
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    if commit is None:
        raise ConfigError(f"--against {text!r}: there is no such git revision in {top}", hint=wanted)
    return Revision(text, commit, Path(top))


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _as_name(text: str) -> str:
    return _NO_NAME.sub("-", text).strip("-") or "other"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
