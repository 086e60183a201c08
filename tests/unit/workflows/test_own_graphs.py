"""Graphs of users' own: by langgraph.json, by module, by file; and what can be wrong with them."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.shipped import shipped_folder
from tracegauge.workflows import count_calls, load_workflow

GRAPH = """
from langgraph.graph import StateGraph
from typing_extensions import TypedDict

class State(TypedDict, total=False):
    x: str

def make() -> StateGraph:
    made = StateGraph(State)
    made.add_node("a", lambda state: {"x": "done"})
    made.add_edge("__start__", "a")
    return made
"""
ATTRIBUTES = """
builder = make()
graph = make().compile()
def plain(): return graph
def with_config(config): return graph
async def asynchronous(): return builder
class Holder: held = graph
number = 5
def broken(): raise ValueError("no database")
unfinished = StateGraph(State)
"""


@pytest.fixture(autouse=True)
def _restore_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and "pytest-of" in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def project(workdir: Path) -> Path:
    """A user's project as the current directory."""
    (workdir / "my_graphs.py").write_text(GRAPH + ATTRIBUTES)
    (workdir / "inputs.yaml").write_text("x: given\n")
    return workdir


@pytest.mark.parametrize("attribute", ["builder", "graph", "plain", "with_config", "asynchronous", "Holder.held"])
@pytest.mark.parametrize("module", ["my_graphs", "my_graphs.py", "./my_graphs.py"])
def test_what_an_attribute_can_be(module: str, attribute: str, project: Path) -> None:
    workflow = load_workflow(f"{module}:{attribute}", inputs="inputs.yaml")
    assert workflow.invoke(workflow.inputs[0]) == {"x": "done"}
    assert workflow.node_names == ("a",)
    assert workflow.name == attribute
    assert load_workflow(f"{module}:{attribute}", inputs="inputs.yaml", name="mine").name == "mine"


@pytest.mark.parametrize(
    ("reference", "message", "hint"),
    [
        ("my_graphs:grpah", "my_graphs has no 'grpah' to be a graph", "'graph'"),
        ("my_graphs:number", "my_graphs:number is a int, not a LangGraph graph", "a compiled graph"),
        ("my_graphs:broken", "my_graphs:broken made no graph: ValueError: no database", "raise ValueError"),
        ("my_graphs:unfinished", "my_graphs:unfinished can't be compiled", ""),
        ("my_graphs", "'my_graphs' names no graph", "package.module:attribute"),
        ("nothing_there:graph", "importing nothing_there failed: ModuleNotFoundError: No module named", ""),
        ("nothing.py:graph", "there is no file 'nothing.py'", "looked for in"),
        ("faulty:graph", "importing faulty failed: ZeroDivisionError: division by zero", "1 / 0"),
        ("faulty.py:graph", "importing faulty.py failed: ZeroDivisionError: division by zero", "1 / 0"),
        ("leaves.py:graph", "importing leaves.py failed: SystemExit: 2", ""),
    ],
)
def test_what_is_no_graph(reference: str, message: str, hint: str, project: Path) -> None:
    (project / "faulty.py").write_text("def f():\n    return 1 / 0\nf()\n")
    (project / "leaves.py").write_text("import sys\nsys.exit(2)\n")
    with pytest.raises(ConfigError) as caught:
        load_workflow(reference, inputs="inputs.yaml")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_errors_in_a_file_have_their_place(project: Path) -> None:
    (project / "faulty.py").write_text("def f():\n    return 1 / 0\nf()\n")
    with pytest.raises(ConfigError) as caught:
        load_workflow("faulty.py:graph", inputs="inputs.yaml")
    assert (caught.value.file, caught.value.line) == (str(project / "faulty.py"), 2)
    (project / "unready.py").write_text("import yaml\n\ndocument = yaml.safe_load('[')\n")
    with pytest.raises(ConfigError, match="ParserError") as caught:
        load_workflow("unready.py:graph", inputs="inputs.yaml")
    assert (caught.value.file, caught.value.line) == (str(project / "unready.py"), 3), "their own line, not a library's"
    (project / "unreadable.py").write_text("x = 1\ny = (\n")
    with pytest.raises(ConfigError, match="SyntaxError") as caught:
        load_workflow("unreadable.py:graph", inputs="inputs.yaml")
    assert (caught.value.file, caught.value.line) == (str(project / "unreadable.py"), 2)


def test_a_failed_import_can_be_tried_again(project: Path) -> None:
    (project / "late.py").write_text("1 / 0")
    with pytest.raises(ConfigError):
        load_workflow("late.py:graph", inputs="inputs.yaml")
    (project / "late.py").write_text(GRAPH + ATTRIBUTES)
    assert load_workflow("late.py:graph", inputs="inputs.yaml").node_names == ("a",)


def test_files_in_packages_can_import_their_neighbours(project: Path) -> None:
    package = project / "src" / "my_agent"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "state.py").write_text(GRAPH)
    (package / "graph.py").write_text("from .state import make\nfrom my_agent.state import State\ngraph = make()\n")
    workflow = load_workflow("src/my_agent/graph.py:graph", inputs="inputs.yaml")
    assert workflow.invoke({}) == {"x": "done"}


def test_a_file_may_be_called_like_a_module_that_is_in_use(project: Path) -> None:
    import json as before

    for name in ("json.py", "pytest.py"):
        (project / name).write_text(GRAPH + ATTRIBUTES)
        assert load_workflow(f"./{name}:graph", inputs="inputs.yaml").node_names == ("a",)
    assert sys.modules["json"] is before
    assert sys.modules["pytest"] is pytest


def test_files_of_one_name_in_two_folders_are_two_modules(project: Path) -> None:
    for folder, value in (("one", "first"), ("two", "second")):
        (project / folder).mkdir()
        (project / folder / "agent.py").write_text(GRAPH.replace('"done"', f'"{value}"') + ATTRIBUTES)
    states = [load_workflow(f"{folder}/agent.py:graph", inputs="inputs.yaml").invoke({}) for folder in ("one", "two")]
    assert states == [{"x": "first"}, {"x": "second"}]


def langgraph_json(project: Path, **content: Any) -> str:
    (project / "langgraph.json").write_text(json.dumps({"dependencies": ["."], **content}))
    return str(project / "langgraph.json")


def test_langgraph_json(project: Path) -> None:
    two = langgraph_json(project, graphs={"first": "./my_graphs.py:graph", "second": {"path": "my_graphs:builder"}})
    assert load_workflow(f"{two}#first").name == "first"
    assert load_workflow(f"{two}#second").invoke({}) == {"x": "done"}
    one = load_workflow(langgraph_json(project, graphs={"only": "./my_graphs.py:graph"}))
    assert one.name == "only"
    assert one.inputs == ({"x": "given"},), "from the inputs.yaml beside it"


def test_langgraph_json_is_found_from_anywhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = langgraph_json(project, graphs={"only": "./my_graphs.py:graph"})
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load_workflow(path).node_names == ("a",)


def test_dependencies_can_be_imported(project: Path) -> None:
    library = project / "libs" / "helper" / "src"
    library.mkdir(parents=True)
    (library / "helping_out.py").write_text(GRAPH)
    (project / "uses.py").write_text("from helping_out import make\ngraph = make()\n")
    path = langgraph_json(project, dependencies=[".", "./libs/helper", "langgraph"], graphs={"g": "./uses.py:graph"})
    assert load_workflow(path).node_names == ("a",)


def test_env_is_set_but_not_over_what_is_set(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEGAUGE_TEST_SET", "mine")
    monkeypatch.delenv("TRACEGAUGE_TEST_NEW", raising=False)
    graphs = {"g": "./my_graphs.py:graph"}
    load_workflow(langgraph_json(project, graphs=graphs, env={"TRACEGAUGE_TEST_SET": "x", "TRACEGAUGE_TEST_NEW": 1}))
    assert (os.environ["TRACEGAUGE_TEST_SET"], os.environ["TRACEGAUGE_TEST_NEW"]) == ("mine", "1")
    (project / "my.env").write_text('TRACEGAUGE_TEST_FILE="from a file"\nTRACEGAUGE_TEST_SET=y\n')
    load_workflow(langgraph_json(project, graphs=graphs, env="./my.env"))
    assert (os.environ["TRACEGAUGE_TEST_SET"], os.environ["TRACEGAUGE_TEST_FILE"]) == ("mine", "from a file")


@pytest.mark.parametrize(
    ("content", "suffix", "message", "hint"),
    [
        ("{", "", "this is not JSON", ""),
        ("[]", "", "the file holds no object", "graphs"),
        ("{}", "", "it names no graphs", "graphs"),
        ('{"graphs": {"a": "x:y", "b": "x:y"}}', "", "it names 2 graphs", "choose one:"),
        ('{"graphs": {"agent": "x:y"}}', "#agnet", "it names no graph 'agnet'", "'agent'"),
        ('{"graphs": {"agent": 5}}', "", "the graph 'agent' has no import path", "./agent.py:graph"),
        ('{"graphs": {"agent": "./agent.py"}}', "", "the graph 'agent' has no import path", "./agent.py:graph"),
        ('{"graphs": {"agent": "./no.py:g"}}', "", "there is no file", ""),
        ('{"graphs": {"agent": "x:y"}, "env": "none.env"}', "", "its env file 'none.env' does not exist", ""),
        ('{"graphs": {"agent": "x:y"}, "env": 5}', "", "`env` is neither", ""),
    ],
)
def test_what_is_wrong_with_langgraph_json(content: str, suffix: str, message: str, hint: str, project: Path) -> None:
    (project / "langgraph.json").write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_workflow(f"langgraph.json{suffix}")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_inputs_of_own_graphs(project: Path) -> None:
    (project / "wrong.yaml").write_text("- x: a\n- y: b\n")
    with pytest.raises(ConfigError) as caught:
        load_workflow("my_graphs:graph", inputs="wrong.yaml")
    assert (caught.value.message, caught.value.line) == ("input 2 has an unknown field 'y'", 2)
    with pytest.raises(ConfigError, match="my_graphs:graph needs inputs: its state has x"):
        load_workflow("my_graphs:graph")
    with pytest.raises(ConfigError, match="has a model of its own"):
        load_workflow("my_graphs:graph", inputs="inputs.yaml", latency_ms=5)


def test_the_example() -> None:
    """Asynchronous nodes and tools: note_topic, then the model asks for a tool, reads its result and answers."""
    workflow = load_workflow(str(shipped_folder("examples") / "own_graph" / "langgraph.json"))
    assert workflow.is_async
    assert len(workflow.inputs) == 3
    for one in workflow.inputs:
        counts = count_calls(workflow, one)
        assert counts.by_node == {"note_topic": 1, "answer": 2, "tools": 1}
        assert (counts.llm_calls, counts.tool_calls) == (2, 1)
        kinds = [message.type for message in workflow.invoke(one)["messages"]]
        assert kinds == ["human", "ai", "tool", "ai"]
