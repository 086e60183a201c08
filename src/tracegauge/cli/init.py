"""`tracegauge init`: set up measuring in somebody's own repository."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracegauge.config.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from tracegauge.workflows import Workflow

LANGGRAPH = Path("langgraph.json")
CHECK_FAILED = 4


def init(
    graph: Annotated[
        str | None,
        typer.Argument(help="Your graph: langgraph.json[#graph], module:attribute or file.py:attribute."),
    ] = None,
    inputs: Annotated[str | None, typer.Option(help="JSON or YAML file with one input or a list of them.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there, without asking.")
    ] = False,
    check: Annotated[bool, typer.Option(help="Invoke the graph once, untraced, to see that it works.")] = True,
) -> int:
    """Set up measuring in your own repository: a campaign, benchmarks for pytest, and judges to start with.

    Finds langgraph.json, or asks for your graph. Files that are there are kept unless you say otherwise. Exit code:
    0 all is ready, 3 usage error, 4 the graph does not run yet.

    Examples: tracegauge init

    tracegauge init my_package.agent:graph --inputs questions.yaml
    """
    from rich.console import Console

    from tracegauge.config.starter import (
        BENCH_PATH,
        CAMPAIGN_PATH,
        INPUTS_PATH,
        bench_text,
        campaign_text,
        graph_name,
        inputs_text,
        starter_judges,
    )

    console = Console(highlight=False, soft_wrap=True)
    reference = graph or _find_graph()
    properties = _fields(reference)
    name = graph_name(reference)
    files: dict[Path, str] = {}
    if inputs is None and properties and not _inputs_come_by_themselves(reference, properties):
        inputs = INPUTS_PATH.as_posix()
        files[INPUTS_PATH] = inputs_text(name, properties)
    files |= {CAMPAIGN_PATH: campaign_text(name, reference, inputs), BENCH_PATH: bench_text(name)}
    judges = starter_judges()
    for path, text in (files | judges).items():
        console.print(f"{_write(path, text, overwrite=overwrite):<10} {path}", markup=False)
    ready = not check or _check(reference, inputs, console)
    _say_what_next(console, ready=ready, made_up=INPUTS_PATH if INPUTS_PATH in files else None, judges=bool(judges))
    return 0 if ready else CHECK_FAILED


def _find_graph() -> str:
    if LANGGRAPH.is_file():
        from tracegauge.workflows.langgraph_json import only_graph

        return f"{LANGGRAPH}#{only_graph(LANGGRAPH)}"
    if sys.stdin.isatty():
        return str(typer.prompt("There is no langgraph.json here. Your graph, as module:attribute"))
    raise ConfigError(
        f"there is no {LANGGRAPH} in {Path.cwd()}",
        hint="name your graph: tracegauge init my_package.agent:graph",
    )


def _fields(reference: str) -> dict[str, Any]:
    """The JSON Schemas of the fields that the graph takes; none where they can't be told."""
    from tracegauge.workflows.inputs import field_schemas
    from tracegauge.workflows.own_graph import load_graph

    return dict(field_schemas(load_graph(reference)))


def _inputs_come_by_themselves(reference: str, properties: dict[str, Any]) -> bool:
    from tracegauge.workflows.loading import inputs_beside

    path = reference.partition("#")[0]
    return "messages" in properties or (path.endswith(".json") and inputs_beside(Path(path)) is not None)


def _write(path: Path, text: str, *, overwrite: bool) -> str:
    """Write the file unless it is there and the user wants to keep it; says what was done."""
    from tracegauge.results.files import write_atomically

    if path.exists():
        if path.read_text(encoding="utf-8", errors="replace") == text:
            return "unchanged"
        if not overwrite and not (sys.stdin.isatty() and typer.confirm(f"{path} is there. Replace it?")):
            return "kept"
        done = "replaced"
    else:
        done = "written"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from error
    return done


def _check(reference: str, inputs: str | None, console: "Console") -> bool:
    """Invoke the graph once; whether it worked."""
    from tracegauge.workflows import load_workflow

    workflow: Workflow = load_workflow(reference, inputs=inputs)
    began = time.perf_counter()
    try:
        workflow.invoke(dict(workflow.inputs[0]))
    except Exception as error:
        console.print(f"\nThe graph does not run yet: {type(error).__name__}: {error}", markup=False)
        console.print("Mend its inputs or its settings, and run `tracegauge init` again.")
        return False
    console.print(f"\nThe graph runs: one invocation, untraced, took {time.perf_counter() - began:.2f} s.")
    return True


def _say_what_next(console: "Console", *, ready: bool, made_up: Path | None, judges: bool) -> None:
    steps = [(f"edit {made_up}", "its inputs are made up: put there what your agent really gets")] if made_up else []
    steps += [
        ("tracegauge bench bench/campaign.yaml", "measure, judge the claims, write a report below reports/"),
        ("tracegauge report --open", "look at it"),
    ]
    if judges:
        steps += [
            ("export TRACEGAUGE_JUDGE_MODEL=…", "the model that judges ask, such as openai:/gpt-4.1-mini"),
            ("tracegauge judge lint judges", "see that the judges are in order; then let them score traces"),
        ]
    console.print("\nNext:" if ready else "\nThen:")
    for command, meaning in steps:
        console.print(f"  {command:<38} {meaning}", markup=False)
    console.print("\nReports are yours to keep or not: put reports/ into your .gitignore, or under version control.")
    console.print(
        "\nFor `pytest bench`, put this into your pyproject.toml:\n"
        "  [tool.pytest.ini_options]\n"
        '  python_files = ["test_*.py", "bench_*.py"]\n'
        '  python_functions = ["test_*", "bench_*"]',
        markup=False,
    )
