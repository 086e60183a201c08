"""Imports run downwards only, and never sideways; MLflow stays in the rooms that need it.

Imports inside functions and under TYPE_CHECKING count too: laziness changes when something is loaded, not who knows
whom.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "src" / "tracegauge"

FLOORS = [
    {"cli", "pytest_plugin", "__main__"},
    {"measure", "gate", "judging", "reporting", "stores"},
    {"tracking", "workflows"},
    {"config", "results", "prices", "statistics"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# Exceptions, each with its reason.
ALSO_MAY_IMPORT = {
    "__main__": {"cli"},  # `python -m tracegauge` is the command line
    "cli": {"mock_llm"},  # a leaf beside the house, which the command line starts
}

MLFLOW_ROOMS = {"tracking", "stores", "judging"}
MLFLOW_IN_MEASURE = {
    "worker",
    "fork_server",  # preloads what the workers that it forks will need
    "probes",
    "instruments",
    "backends",
}


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands, and the full name of the module or attribute that it names."""

    file: Path
    line: int
    name: str

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(PACKAGE.parent)}:{self.line}"


def imports_in(source: str, file: Path) -> Iterator[Import]:
    package = ("tracegauge", *file.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            for alias in node.names:
                yield Import(file, node.lineno, f"{module}.{alias.name}")


def room_of(file: Path) -> str:
    """The first name below the package: a folder or a module; `__init__` for the package itself."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def wrong_direction(room: str, imported: Import) -> bool:
    package, _, name = imported.name.partition(".")
    if package != "tracegauge" or room == "__init__":
        return False
    other = name.split(".")[0]
    if other in {room, "", "__version__"} or other in ALSO_MAY_IMPORT.get(room, ()):
        return False
    return FLOOR_OF.get(other, -1) <= FLOOR_OF.get(room, len(FLOORS))


def may_import_mlflow(file: Path) -> bool:
    room, *rest = file.relative_to(PACKAGE).with_suffix("").parts
    return room in MLFLOW_ROOMS or (room == "measure" and rest[0] in MLFLOW_IN_MEASURE)


def all_imports() -> list[Import]:
    return [found for file in sorted(PACKAGE.rglob("*.py")) for found in imports_in(file.read_text(), file)]


def test_every_room_has_its_floor():
    rooms = {room_of(file) for file in PACKAGE.rglob("*.py")} - {"__init__", "mock_llm"}
    assert rooms <= FLOOR_OF.keys(), "a new room: give it its floor in FLOORS"


def test_imports_run_downwards_only():
    wrong = [
        f"{found.place} imports {found.name}" for found in all_imports() if wrong_direction(room_of(found.file), found)
    ]
    assert not wrong, "\n".join(wrong)


def test_mlflow_is_imported_only_where_it_is_needed():
    wrong = [
        f"{found.place} imports {found.name}"
        for found in all_imports()
        if found.name.split(".")[0] == "mlflow" and not may_import_mlflow(found.file)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("measure", "from tracegauge.tracking import MLFlowTracker", False),
        ("measure", "from tracegauge.measure.cell import Cell", False),
        ("measure", "from tracegauge import __version__", False),
        ("measure", "import httpx", False),
        ("measure", "from tracegauge.gate import judge", True),  # sideways
        ("measure", "def f():\n    from tracegauge.reporting import html", True),  # sideways, lazily
        ("tracking", "from tracegauge import measure", True),  # upwards
        ("tracking", "from ..measure import worker", True),  # upwards, relative
        ("tracking", "from . import spans", False),
        ("config", "import tracegauge.results.cell", True),  # sideways on the ground floor
        ("cli", "from tracegauge.mock_llm import serve", False),
        ("measure", "from tracegauge.mock_llm import serve", True),
        ("mock_llm", "from tracegauge.config import errors", True),  # a leaf knows nothing of the house
        ("__init__", "from tracegauge.tracking import MLFlowTracker", False),
    ],
)
def test_the_check_of_directions_sees(room: str, source: str, wrong: bool):
    file = PACKAGE / room / "anything.py" if room != "__init__" else PACKAGE / "__init__.py"
    assert [wrong_direction(room, found) for found in imports_in(source, file)] == [wrong]


HEAVY = {"mlflow", "langgraph", "langchain_core", "matplotlib", "pandas", "scipy", "sqlalchemy"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running `code`."""
    report = f"{code}\nimport sys; print('loaded:', *{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(result.stdout.rpartition("loaded:")[2].split())


def test_the_package_is_light_to_import():
    assert not loaded_by("import tracegauge") & HEAVY


def test_help_loads_nothing_heavy():
    code = "import contextlib, sys\nfrom tracegauge.cli import main\nsys.argv = ['tracegauge', '--help']\n"
    assert not loaded_by(f"{code}with contextlib.suppress(SystemExit):\n    main()") & HEAVY


def test_the_pytest_plugin_is_light_to_import():
    assert not loaded_by("import tracegauge.pytest_plugin") & HEAVY
