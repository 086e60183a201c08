"""Conditions of routes, such as `state.score > 0.8 and not state.done`: parsed once, evaluated safely, never `eval`."""

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_LENGTH = 1000
_DEPTH = 50
"""How deeply a condition may be nested: it is evaluated deep in the stack of a running graph."""
DEFAULT = "default"
"""The condition of the route that is taken if no other is."""


@dataclass(frozen=True)
class Condition:
    """A parsed condition over the state."""

    text: str
    _tree: ast.expr = field(repr=False, compare=False)

    @property
    def is_default(self) -> bool:
        """Whether it is the condition `default`, which always holds."""
        return self.text == DEFAULT

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """The parts of the state that it reads: ('a', 'b') for `state.a.b`."""
        return frozenset(_paths(self._tree))

    def holds(self, state: Mapping[str, Any]) -> bool:
        """Whether it is true of the state.

        A field that is not there is None. Raises ValueError for values that can't be compared.
        """
        try:
            return bool(_evaluate(self._tree, state))
        except TypeError as error:
            raise ValueError(f"the condition {self.text!r} can't be decided: {error}") from error


def parse_condition(text: str) -> Condition:
    """Parse `default`, or a condition of literals, lists, `state.field`, comparisons, `in`, `and`, `or`, `not` and
    parentheses.

    Raises ValueError that says what is wrong with it.
    """
    if text.strip() == DEFAULT:
        return Condition(DEFAULT, ast.Constant(True))
    if len(text) > _LENGTH:
        raise ValueError(f"a condition has at most {_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python finds odd in text that becomes no Python code
            tree = ast.parse(text.strip(), mode="eval").body
        problem = next(_problems(tree), None)
    except (SyntaxError, MemoryError, RecursionError) as error:
        why = error.msg if isinstance(error, SyntaxError) else "too deeply nested"
        raise ValueError(f"{text!r} is no condition: {why}") from error
    if problem:
        raise ValueError(f"the condition {text!r} has {problem}, which a condition can't have")
    return Condition(text.strip(), tree)


def _problems(node: ast.expr, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        raise RecursionError
    if _state_path(node):
        return
    match node:
        case ast.BoolOp() | ast.List() | ast.Tuple():
            for child in node.values if isinstance(node, ast.BoolOp) else node.elts:
                yield from _problems(child, depth + 1)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield from _problems(node.operand, depth + 1)
        case ast.Compare():
            yield from (f"the operator {type(op).__name__}" for op in node.ops if type(op) not in _COMPARISONS)
            for child in (node.left, *node.comparators):
                yield from _problems(child, depth + 1)
        case ast.Constant(value=str() | int() | float() | bool() | None):
            return
        case ast.Name() if node.id.lower() in _WORDS:
            return
        case ast.Name(id="state"):
            yield "the name 'state' alone (write state.field)"
        case ast.Name():
            yield f"the name {node.id!r} (write state.{node.id})"
        case _:
            yield f"the expression {ast.unparse(node)!r}"


def _evaluate(node: ast.expr, state: Mapping[str, Any]) -> Any:
    path = _state_path(node)
    if path:
        return value_at(state, path)
    match node:
        case ast.BoolOp():  # as in Python, its value is that of the operand that decides
            value = None
            for child in node.values:
                value = _evaluate(child, state)
                if bool(value) is isinstance(node.op, ast.Or):
                    break
            return value
        case ast.List():
            return [_evaluate(child, state) for child in node.elts]
        case ast.Tuple():
            return tuple(_evaluate(child, state) for child in node.elts)
        case ast.UnaryOp(op=ast.Not()):
            return not _evaluate(node.operand, state)
        case ast.UnaryOp():
            return -_evaluate(node.operand, state)
        case ast.Compare():
            left = _evaluate(node.left, state)
            for op, comparator in zip(node.ops, node.comparators, strict=True):
                right = _evaluate(comparator, state)
                if not _COMPARISONS[type(op)](left, right):
                    return False
                left = right
            return True
        case ast.Constant():
            return node.value
        case ast.Name():
            return _WORDS[node.id.lower()]
    raise AssertionError(f"{ast.dump(node)} was let through by the parser")


def _paths(node: ast.AST) -> Iterator[tuple[str, ...]]:
    path = _state_path(node)
    if path:
        yield path
    else:
        for child in ast.iter_child_nodes(node):
            yield from _paths(child)


def _state_path(node: ast.AST) -> tuple[str, ...]:
    """('a', 'b') for `state.a.b`; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return tuple(reversed(parts)) if parts and isinstance(node, ast.Name) and node.id == "state" else ()


def value_at(state: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path of names in nested mappings; None where a name is missing."""
    value: Any = state
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
