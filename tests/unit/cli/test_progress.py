"""Progress is for terminals that somebody watches."""

import io

import pytest
from rich.console import Console

from tracegauge.cli.progress import progress_bar, spinner


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")


def shown(file, **options):
    console = Console(file=file, width=100, **options)
    with progress_bar(console, "looking") as tell:
        tell(3, 12, "asking [a] judge")
    with spinner(console, "looking at [the] store") as tell:
        tell("looking at [another]")
    return file.getvalue()


def test_on_a_terminal_it_says_how_much_is_done_what_is_done_and_how_long_it_takes():
    text = shown(Terminal(), force_terminal=True, color_system=None)
    assert "3/12" in text
    assert "asking [a] judge" in text
    assert text.count(":--") + text.count("0:00:0") >= 2  # time that has passed, time left
    assert "looking at [another]" in text


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "color_system": "standard"}])
def test_in_a_log_there_is_none_even_where_colours_are_forced(options):
    assert shown(io.StringIO(), **options).strip() == ""
