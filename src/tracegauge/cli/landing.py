"""What `tracegauge` alone shows: the five things that one can do."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tracegauge import __version__

DEEDS = (
    ("tracegauge demo", "See it work on an example, in minutes and without an API key."),
    ("tracegauge init", "Set it up in your own LangGraph repository."),
    ("tracegauge bench bench/campaign.yaml", "Measure what tracing costs, and whether a change made it worse."),
    ("tracegauge judge run judges", "Let judges, files that you keep beside your code, score what your agents said."),
    ("tracegauge report --open", "Open the newest report in a browser."),
)
"""A command and what it does; each is one that exists."""
NARROW = 80


def print_landing(console: Console) -> None:
    """Print the deeds; in a narrow terminal each takes two lines."""
    console.print(Text.assemble(("tracegauge", "bold"), f" {__version__}", style=""))
    console.print(Text("What MLflow tracing costs your LangGraph agents, and how good their answers are.", style="dim"))
    console.print()
    if console.width < NARROW:
        for command, meaning in DEEDS:
            console.print(Text(command, style="cyan"))
            console.print(Padding(Text(meaning), (0, 0, 0, 2)))
    else:
        table = Table.grid(padding=(0, 2))
        for command, meaning in DEEDS:
            table.add_row(Text(command, style="cyan", no_wrap=True), Text(meaning))
        console.print(Padding(table, (0, 0, 0, 2)))
    console.print()
    console.print(Text("tracegauge --help lists every command; each has an example in its own --help.", style="dim"))
