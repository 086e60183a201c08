"""What is private in MLflow is used in compat rooms only, as far as reading the source can tell."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "src" / "tracegauge"

COMPAT = {
    "judging/compat.py",
    "stores/mlflow_schema.py",
    "stores/mlflow_traces.py",
}
"""Beside tracking's, which is a folder."""

PUBLIC_ALL_THE_SAME = {"_replace", "_asdict", "_fields"}
"""Of named tuples, which have no other way to keep their methods' names free for fields."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def is_compat(file: Path) -> bool:
    place = file.relative_to(PACKAGE).as_posix()
    return place in COMPAT or place.startswith("tracking/compat/")


def defined_privately(tree: ast.AST) -> Iterator[str]:
    """Private names that this source gives itself: functions, classes, variables, fields and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store(), value=ast.Name(id="self" | "cls")):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def imported_from_elsewhere(tree: ast.AST) -> set[str]:
    """Names that imports bind to something that is not MLflow's."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(alias.asname or alias.name, node.module or "") for alias in node.names]
        else:
            continue
        found |= {bound for bound, module in names if module.split(".")[0] != "mlflow"}
    return found


def private_uses(tree: ast.AST, ours: set[str]) -> Iterator[tuple[int, str]]:
    """Line and text of imports of private parts of MLflow, and of private attributes that we have not defined."""
    elsewhere = imported_from_elsewhere(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                modules = [f"{module}.{alias.name}" for alias in names]
            case ast.Attribute(value=ast.Name(id=name)) if name in elsewhere:
                continue
            case ast.Attribute(attr=name) if is_private(name) and name not in ours | PUBLIC_ALL_THE_SAME:
                yield node.lineno, ast.unparse(node)
                continue
            case _:
                continue
        for module in modules:
            top, *rest = module.split(".")
            if top == "mlflow" and any(map(is_private, rest)):
                yield node.lineno, module


def test_private_mlflow_use_stands_in_compat_rooms():
    trees = {file: ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py")) if not is_compat(file)}
    ours = {name for tree in trees.values() for name in defined_privately(tree)}
    wrong = [
        f"{file.relative_to(PACKAGE.parent)}:{line}: {text}"
        for file, tree in trees.items()
        for line, text in private_uses(tree, ours)
    ]
    assert not wrong, "\n".join(wrong)


def test_compat_rooms_exist():
    assert all((PACKAGE / place).is_file() for place in COMPAT), "one has moved"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from mlflow.tracing.provider import _get_tracer", ["mlflow.tracing.provider._get_tracer"]),
        ("import mlflow.genai._internal.x", ["mlflow.genai._internal.x"]),
        ("import mlflow\nmlflow.tracking._hidden()", ["mlflow.tracking._hidden"]),
        ("span = mlflow.get_current_active_span()\nspan._span", ["span._span"]),
        ("class Ours(SpanExporter):\n    def export(self):\n        self._client", ["self._client"]),
        ("class Ours:\n    def __init__(self):\n        self._client = 1\n        self._client", []),
        ("import os\nos._exit(0)", []),
        ("from mlflow.entities import Span\nSpan.__name__", []),
        ("from tracegauge.tracking import _ours", []),
    ],
)
def test_the_check_sees(source: str, found: list[str]):
    tree = ast.parse(source)
    assert [text for _, text in private_uses(tree, set(defined_privately(tree)))] == found
