"""The command reference says what the commands say, and each of them shows how it is used."""

from pathlib import Path

import pytest
import typer

from tracegauge.cli.app import app
from tracegauge.cli.reference import command_reference, commands_of

REPOSITORY = Path(__file__).resolve().parents[3]
COMMANDS = list(commands_of(typer.main.get_command(app)))


def test_the_committed_page_is_not_stale():
    assert (REPOSITORY / "docs" / "COMMANDS.md").read_text(encoding="utf-8") == command_reference(), (
        "stale: python -c \"from tracegauge.cli.reference import write_reference; write_reference('docs/COMMANDS.md')\""
    )


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_has_an_example_and_explains_its_options(name):
    command = dict(COMMANDS)[name]
    assert f"{name} " in f"{command.help} ".partition("Example")[2], "no example in its --help"
    unexplained = [one.name for one in command.params if not one.help]
    assert not unexplained
