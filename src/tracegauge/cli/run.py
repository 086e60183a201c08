"""`tracegauge run`: run one workflow with tracking."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracegauge.config.errors import ConfigError

if TYPE_CHECKING:
    from tracegauge.workflows import Workflow

_SHOWN = 300
_FAILED = 4


def run(
    workflow: Annotated[
        str, typer.Argument(help="A workflow file, langgraph.json[#graph], module:attribute or file.py:attribute.")
    ],
    values: Annotated[
        list[str] | None, typer.Option("--input", "-i", help="A field of the input, as name=value; may be repeated.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="JSON or YAML file with the input; its first one is taken.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the final state as JSON, and nothing else.")] = False,
) -> int:
    """Run a workflow once, tracked as its `observability.mlflow` says, `enabled` or not.

    A graph of your own is traced by autolog.

    Exit code: 0 it ran, 3 usage error, 4 the workflow failed.

    Example: tracegauge run examples/article_writer_sqlite.yaml --input topic="tidal power"
    """
    from rich.console import Console

    from tracegauge.cli.progress import spinner
    from tracegauge.tracking import MLFlowTracker
    from tracegauge.workflows import load_workflow
    from tracegauge.workflows.importing import failed
    from tracegauge.workflows.progress import NodeProgress

    console = Console(stderr=as_json)
    loaded = load_workflow(workflow, inputs=str(inputs) if inputs else None, sample=not values)
    given = dict(loaded.fitting(_parsed(values, loaded)) if values else loaded.inputs[0])
    try:
        with (
            spinner(console, f"running {loaded.name}") as tell,
            MLFlowTracker(_tracking(loaded), loaded.file) as tracker,
            tracker.instrument(),
        ):
            progress = NodeProgress(lambda node: tell(f"running {loaded.name}: {node}"))
            graph = tracker.wrap_nodes(loaded.graph)
            with tracker.span(loaded.name, inputs=given) as span:
                output = loaded.invoke_graph(graph, given, {"callbacks": [progress]})
                span.set_outputs(output)
            tracker.flush()
            trace_id, uri = span.trace_id, tracker.tracking_uri
    except Exception as error:
        typer.echo(f"error: {failed(f'{loaded.name} failed', error)}", err=True)
        return _FAILED
    if as_json:
        typer.echo(json.dumps(_plain(output), indent=2, ensure_ascii=False, default=str))
        return 0
    for name, value in _plain(output).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        console.print(f"[bold]{name}[/bold]:", end=" ")
        console.print(text if len(text) <= _SHOWN else text[:_SHOWN] + " …", markup=False, highlight=False)
    if trace_id is None:
        console.print("\nno trace: nothing could be tracked, as the warnings say", markup=False, soft_wrap=True)
        return 0
    console.print(f"\ntrace {trace_id} in {uri}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"open it:  {_open_command(str(uri))}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _tracking(workflow: "Workflow") -> dict[str, Any]:
    """What the workflow file says, tracking on; for a graph of your own, autolog into the default store."""
    if workflow.file is None:
        return {"enabled": True, "experiment_name": workflow.name, "autolog_enabled": True}
    return {**workflow.observability.mlflow.model_dump(exclude_unset=True), "enabled": True}


def _parsed(values: list[str], workflow: "Workflow") -> dict[str, Any]:
    """`name=value` pairs; a value is JSON where the field is no text and it can be read as such."""
    fields: dict[str, Any] = {}
    for one in values:
        name, equals, text = one.partition("=")
        if not equals:
            raise ConfigError(f"--input {one!r} has no value", hint="write --input name=value")
        of_state = workflow.file.state.fields.get(name) if workflow.file else None
        fields[name] = text if of_state and of_state.type.name == "str" else _json_or_text(text)
    return fields


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _plain(output: Any) -> dict[str, Any]:
    """The final state with messages as they are stored: role and text."""
    from langchain_core.messages import BaseMessage

    def plain(value: Any) -> Any:
        if isinstance(value, BaseMessage):
            return f"{value.type}: {value.text}" if value.text else f"{value.type}: {getattr(value, 'tool_calls', '')}"
        return [plain(item) for item in value] if isinstance(value, list) else value

    state = output if isinstance(output, dict) else {"output": output}
    return {name: plain(value) for name, value in state.items()}


def _open_command(uri: str) -> str:
    if uri.startswith("http"):
        return f"{uri} in a browser"
    prefix = "MLFLOW_ALLOW_FILE_STORE=true " if "://" not in uri or uri.startswith("file:") else ""
    return f"{prefix}mlflow ui --backend-store-uri {uri}  and then http://127.0.0.1:5000 in a browser"
