"""What must be true of every tracked file: no trace of the machine it was written on, no link that leads nowhere."""

import ast
import re
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
FULL_ROOM_LINES = 350

# Put together here, so that this file passes its own test.
MACHINE_PATH = re.compile(
    r"(?<![\w.~}>-])/(?:" + "|".join(["home", "Users", "root", "work", r"tmp/v?env?\d*"]) + r")(?![\w-])"
)
ADDRESS_NEEDLES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "ana" + "conda.org",
    "proxy.go" + "lang.org",
    "index" + "-url",
    "find" + "-links",
    "trusted" + "-host",
]
LOCKED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!]*")
MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
CODE_BLOCK = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@cache
def tracked_files() -> tuple[Path, ...]:
    # safe.directory: CI may check out as one user and test as another.
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    result = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    files = (REPOSITORY / name for name in result.stdout.split("\0") if name)
    return tuple(file for file in files if file.is_file())


@pytest.fixture(autouse=True)
def _in_a_repository():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: nothing is tracked here")


def text_of(file: Path) -> str | None:
    """The text of a file; None for a picture or another binary."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file.relative_to(REPOSITORY)}:{number}: {line.strip()[:120]}"
        for file in tracked_files()
        for number, line in enumerate((text_of(file) or "").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_path_of_a_developers_machine():
    found = places(MACHINE_PATH)
    assert not found, "\n".join(found)


def test_no_address_of_a_package_registry():
    found = places(re.compile("|".join(map(re.escape, ADDRESS_NEEDLES))))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "is_machine_path"),
    [
        ("see /ho" + "me/anna/project", True),
        ('"/ro' + 'ot/.cache"', True),
        ("cd /wo" + "rk/project", True),
        ("/tmp/v" + "en39/bin/python", True),
        ("read/write/work/share", False),
        ("./work/project", False),
        ("https://example.org/home", False),
        ("/workflows/{name}", False),
        ("/homepage", False),
    ],
)
def test_the_check_for_machine_paths_sees(line: str, is_machine_path: bool):
    assert bool(MACHINE_PATH.search(line)) == is_machine_path


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-lowest.txt"])
def test_locked_versions_are_names_and_versions_only(name: str):
    comment, *lines = (REPOSITORY / name).read_text().splitlines()
    assert comment.startswith("# Made by `make lock`")
    wrong = [line for line in lines if not LOCKED.fullmatch(line)]
    assert not wrong
    assert len(lines) > 100, "MLflow alone needs more than this"
    assert [line.upper() for line in lines] == sorted({line.upper() for line in lines}), "sorted, each once"


def test_the_lowest_versions_are_locked_as_the_lowest():
    lowest = (REPOSITORY / "constraints-lowest.txt").read_text().splitlines()
    assert "mlflow==3.9.0" in lowest
    assert "langgraph==1.0.0" in lowest


def test_every_module_says_what_it_holds():
    modules = [file for file in tracked_files() if file.suffix == ".py" and "src" in file.relative_to(REPOSITORY).parts]
    assert modules
    silent = [
        str(file.relative_to(REPOSITORY)) for file in modules if not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert not silent, f"no docstring at the top of {', '.join(silent)}"


def test_rooms_are_not_overfull():
    for file in tracked_files():
        if file.suffix == ".py" and file.is_relative_to(REPOSITORY / "src"):
            lines = len(file.read_text().splitlines())
            if lines > FULL_ROOM_LINES:
                warnings.warn(f"{file.relative_to(REPOSITORY)} has {lines} lines: is it still one thing?", stacklevel=1)


def local_links(markdown: str) -> Iterator[str]:
    for target in MARKDOWN_LINK.findall(CODE_BLOCK.sub("", markdown)):
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            yield target.partition("#")[0]


def test_links_in_documents_lead_somewhere():
    broken = [
        f"{file.relative_to(REPOSITORY)}: {link}"
        for file in tracked_files()
        if file.suffix == ".md"
        for link in local_links(file.read_text())
        if not (file.parent / link).exists()
    ]
    assert not broken, "\n".join(broken)


def test_the_check_of_links_sees():
    markdown = """
[a](docs/a.md) ![picture](b.png "title") [section](c.md#part) [web](https://example.org/x.md) [here](#there)
`[not](code.md)`
```
[nor](this.md)
```
"""
    assert list(local_links(markdown)) == ["docs/a.md", "b.png", "c.md"]
