"""The calculator: arithmetic, parsed safely."""

import ast
import operator
from collections.abc import Callable

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LARGEST_EXPONENT = 100


class CalculatorInput(BaseModel):
    """What the calculator is given."""

    expression: str = Field(description="Arithmetic, such as 12 * (365 + 1) / 2")


def make_calculator() -> BaseTool:
    """A tool that evaluates an arithmetic expression."""
    return StructuredTool.from_function(
        func=lambda expression: f"{calculate(expression):g}",
        name="calculator",
        description="Evaluate an arithmetic expression of numbers, + - * / // % ** and parentheses.",
        args_schema=CalculatorInput,
    )


def calculate(expression: str) -> float:
    """The value of an arithmetic expression. Raises ToolException for anything else, and for division by zero."""
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError, MemoryError, ValueError) as error:
        raise ToolException(f"{expression!r} can't be calculated: {error}") from error


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float()):
            return float(node.value)  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            value = _value(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp() if type(node.op) in _BINARY:
            left, right = _value(node.left), _value(node.right)
            if isinstance(node.op, ast.Pow) and abs(right) > _LARGEST_EXPONENT:
                raise ValueError(f"the exponent {right:g} is too large")
            result = _BINARY[type(node.op)](left, right)
            if not isinstance(result, complex):
                return result
    raise ValueError(f"{ast.unparse(node)!r} is no arithmetic")
