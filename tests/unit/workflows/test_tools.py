"""The built-in tools, and what becomes of tools' errors."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, ToolException, tool

from tracegauge.config.errors import ConfigError
from tracegauge.config.workflow import ToolUse
from tracegauge.workflows.tools import make_tool
from tracegauge.workflows.tools.calculator import calculate
from tracegauge.workflows.tools.document_search import CORPUS, search
from tracegauge.workflows.tools.tolerant import tolerant

numbers = st.integers(0, 1000).map(str) | st.floats(0, 1000, allow_nan=False).map(repr)
expressions = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map("({0[0]} {0[1]} {0[2]})".format),
        inner.map("(-{})".format),
    ),
    max_leaves=8,
)


@given(expressions)
def test_calculator_means_what_python_makes_of_it(text: str) -> None:
    try:
        expected = eval(text)
    except (ZeroDivisionError, OverflowError):
        with pytest.raises(ToolException):
            calculate(text)
    else:
        assert calculate(text) == pytest.approx(expected)


@given(st.text(max_size=40) | st.text("0123456789.+-*/%() ej", max_size=40))
def test_calculator_gives_a_number_or_a_tool_exception(text: str) -> None:
    with contextlib.suppress(ToolException):
        assert isinstance(calculate(text), float)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1 +",
        "2 ** 1000",
        "9 ** 99 ** 99",
        "(-8) ** 0.5",
        "True + 1",
        "1j",
        "'a' * 3",
        "[1]",
        "abs(1)",
        "(" * 500,
    ],
)
def test_what_the_calculator_refuses(text: str) -> None:
    with pytest.raises(ToolException, match="can't be calculated"):
        calculate(text)


def test_calculator_as_a_tool() -> None:
    calculator = make_tool(ToolUse(name="calculator"))
    assert calculator.invoke({"expression": "(3 + 4) * 2.5"}) == "17.5"
    assert calculator.invoke({"expression": "10 / 5"}) == "2"


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("lock water chamber summit", "Canal locks"),
        ("How do bees find home?", "How bees find their way home"),
        ("gluten flour oven", "Why bread rises"),
        ("TIDAL barrage", "Tidal power"),
    ],
)
def test_search_finds_the_document(query: str, first: str) -> None:
    assert search(query, CORPUS, 3)[0].splitlines()[0] == first


def test_search_gives_as_many_results_as_wanted_and_none_that_does_not_match(tmp_path: Path) -> None:
    for name, text in {"a": "red red apple", "b": "red apple", "c": "green pear"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    find = make_tool(ToolUse(name="document_search", config={"folder": str(tmp_path), "results": 1}))
    assert find.invoke({"query": "red"}) == "red red apple"
    assert search("red", tmp_path, 5) == ["red red apple", "red apple"]
    assert find.invoke({"query": "blue"}) == "Nothing matches."


@pytest.mark.parametrize(
    ("use", "message", "hint"),
    [
        ({"name": "calculater"}, "unknown tool 'calculater'", "did you mean 'calculator'?"),
        ({"name": "calculator", "config": {"digits": 3}}, "has no setting 'digits'", ""),
        ({"name": "document_search", "config": {"results": 0}}, "'results': Input should be greater", ""),
        ({"name": "document_search", "config": {"results": "many"}}, "'results': Input should be a valid integer", ""),
        ({"name": "document_search", "config": {"folder": "/nothing"}}, "no .txt files in /nothing", "folder"),
        ({"name": "json:loads"}, "json:loads is a function, not a LangChain tool", "@tool"),
        ({"name": "json:lods"}, "json has no 'lods' to be a tool", "'loads'"),
        ({"name": "no.such:tool"}, "importing no.such failed: ModuleNotFoundError", ""),
        ({"name": "tests_own_tool:double", "config": {"a": 1}}, "is a tool of your own", ""),
    ],
)
def test_what_is_no_tool(
    use: dict[str, Any], message: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests_own_tool.py").write_text(
        "from langchain_core.tools import tool\n@tool\ndef double(x: int) -> int:\n    'Twice.'\n    return 2 * x\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "tests_own_tool", raising=False)
    assert make_tool(ToolUse(name="tests_own_tool:double")).invoke({"x": 2}) == 4
    with pytest.raises(ConfigError) as caught:
        make_tool(ToolUse.model_validate(use))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@tool
def divide(a: int, b: int, config: RunnableConfig) -> str:
    """Divide, and say in which run."""
    return f"{a / b:g} in {config['metadata']['run']}"


@tool
async def adivide(a: int, b: int) -> float:
    """Divide."""
    return a / b


class Divide(BaseTool):
    name: str = "divide"
    description: str = "Divide."

    def _run(self, a: int, b: int) -> float:
        return a / b


CONFIG: RunnableConfig = {"metadata": {"run": "this run"}}


def call(a: Any, b: Any) -> dict[str, Any]:
    return {"name": "divide", "args": {"a": a, "b": b}, "id": "1", "type": "tool_call"}


@pytest.mark.parametrize("original", [divide, adivide, Divide()])
def test_tolerant_tools_tell_of_their_errors(original: BaseTool) -> None:
    copy = tolerant(original)

    def run(a: Any, b: Any) -> ToolMessage:
        if original is adivide:
            return asyncio.run(copy.ainvoke(call(a, b), CONFIG))
        return copy.invoke(call(a, b), CONFIG)  # type: ignore[no-any-return]

    assert run(6, 3).text.startswith("2")
    assert run(6, 3).status == "success"
    assert run(1, 0).text == "ZeroDivisionError: division by zero"
    assert run(1, 0).status == "error"
    assert run("x", 0).status == "error", "an argument that doesn't fit"
    with pytest.raises(ZeroDivisionError):  # the original stays as it is
        asyncio.run(original.ainvoke(call(1, 0), CONFIG))
