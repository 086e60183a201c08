"""What the pages say works: Python blocks run, YAML blocks are valid, shell blocks name commands that exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from tracegauge.cli.app import app
from tracegauge.config.campaign import Campaign
from tracegauge.config.judge_files import read_judge
from tracegauge.config.observability import ObservabilityConfig
from tracegauge.config.validation import parse
from tracegauge.config.workflow import WorkflowFile
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.mock_llm import MockScript
from tracegauge.workflows import load_workflow

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*languages):
    """Each block of these languages, with its page and line as id."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            if match[1] in languages:
                yield pytest.param(match[2], id=f"{page.name}:{text[: match.start()].count(chr(10)) + 1}")


@pytest.mark.parametrize("code", list(blocks("python")))
def test_python_blocks_run(code, workdir):
    """In an empty folder, with `graph` an article writer; functions that pytest would call are only defined."""
    graph = load_workflow("examples/article_writer_sqlite.yaml").graph
    exec(compile(code, "block", "exec"), {"__name__": "block", "graph": graph})


@pytest.mark.parametrize("text", list(blocks("yaml")))
def test_yaml_blocks_are_valid(text):
    document = parse_yaml(text, "block.yaml")
    if "matrix" in document.data:
        parse(document, Campaign)
    elif "flow" in document.data:
        parse(document, WorkflowFile)
    elif "kind" in document.data:
        read_judge(document)
    elif "rules" in document.data:
        parse(document, MockScript)
    elif "jobs" in document.data:
        check_ci_workflow(document.data)
    elif "observability" in document.data:
        ObservabilityConfig.model_validate(document.data["observability"])
    else:
        pytest.fail(f"neither a campaign nor a workflow nor observability: {text}")


@pytest.mark.parametrize("text", list(blocks("bash", "shell")))
def test_shell_blocks_name_commands_that_exist(text):
    check_commands(text)


def check_ci_workflow(workflow):
    """A GitHub Actions workflow: every step does something, and what it runs exists."""
    assert {"name", "on", "permissions", "jobs"} <= workflow.keys()
    for job in workflow["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys()
        for step in job["steps"]:
            assert len({"uses", "run"} & step.keys()) == 1, step
            assert "${{" not in step.get("run", ""), "names from outside must not become part of a script"
            check_commands(step.get("run", ""))
        assert any("tracegauge bench" in step.get("run", "") for step in job["steps"])


def check_commands(text):
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert f"\n{words[1]}:" in (REPOSITORY / "Makefile").read_text(encoding="utf-8"), line
        if words[:1] != ["tracegauge"]:
            continue
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command, words = command.commands.get(words[1]), words[1:]
            assert command, line
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words[1:] if word.startswith("--")} <= known, line
