"""The command reference: every command with arguments, options and examples as Markdown, from the commands themselves.

It says what `--help` says, so that neither can be wrong alone.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

_INTRODUCTION = """# Commands

Every command with its options. This page is generated from the commands themselves: don't edit it, run
`python -c "from tracegauge.cli.reference import write_reference; write_reference('docs/COMMANDS.md')"`.

Exit codes: 0 pass, 1 regressed or judged bad, 2 inconclusive, 3 usage or configuration error, 4 could not measure.
`tracegauge --install-completion` teaches your shell to complete commands and options. Colours are left out where
`NO_COLOR` is set, and progress bars where nobody watches.
"""


def command_reference() -> str:
    """The whole page."""
    from tracegauge.cli.app import app

    root = typer.main.get_command(app)
    return _INTRODUCTION + "".join(_section(name, command) for name, command in commands_of(root))


def commands_of(command: Any, name: str = "tracegauge") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name, in the order of `--help`."""
    children = getattr(command, "commands", None)
    if not children:
        yield name, command
        return
    for child, below in children.items():
        if not below.hidden:
            yield from commands_of(below, f"{name} {child}")


def write_reference(path: str | Path) -> None:
    """Write the page."""
    Path(path).write_text(command_reference(), encoding="utf-8")


def _section(name: str, command: Any) -> str:
    parameters = [one for one in command.params if not getattr(one, "hidden", False) and one.name != "help"]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *(_usage(one) for one in arguments)])
    parts = [f"## {name}", f"```text\n{usage}\n```", *_help(command)]
    if parameters:
        parts.append("| argument or option | default | meaning |\n|---|---|---|")
        parts[-1] += "".join(f"\n| {_name(one)} | {_default(one)} | {_meaning(one)} |" for one in arguments + options)
    return "\n" + "\n\n".join(parts) + "\n"


def _help(command: Any) -> Iterator[str]:
    """The paragraphs of the help; those that begin with "Example" as code."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        match = re.match(r"Examples?:\s*", paragraph)
        if match or paragraph.startswith("tracegauge "):
            yield f"```bash\n{paragraph[match.end() if match else 0 :]}\n```"
        else:
            yield " ".join(paragraph.split())


def _usage(argument: Any) -> str:
    name = str(argument.name).upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value in (None, False, "", ()) or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def _meaning(parameter: Any) -> str:
    return " ".join((parameter.help or "").split()).replace("|", "\\|")
