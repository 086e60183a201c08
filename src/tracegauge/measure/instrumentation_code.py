"""How much code a user writes to be traced: statements, counted in example programs that do the same."""

import ast

from tracegauge.config.shipped import find_file
from tracegauge.measure.instruments import Instrument

PLAIN = "examples/instrumentation/plain.py"
"""The program without any tracing."""


def instrumentation_statements(instrument: Instrument) -> int | None:
    """Statements that the instrument's example has more than the same program without tracing; None without an example.

    Statements are counted, not lines: how a line is broken must not matter.
    """
    if instrument.example is None:
        return None
    return count_statements(_read(instrument.example)) - count_statements(_read(PLAIN))


def count_statements(source: str) -> int:
    """All statements of a Python source, those inside others included, and decorators; docstrings are none."""
    nodes = list(ast.walk(ast.parse(source)))
    statements = sum(isinstance(node, ast.stmt) and not _is_docstring(node) for node in nodes)
    decorated = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return statements + sum(len(node.decorator_list) for node in nodes if isinstance(node, decorated))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _read(file: str) -> str:
    return find_file(file).read_text(encoding="utf-8")
