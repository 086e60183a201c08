"""`tracegauge judge lint`: check judge files without asking anything of a store or a model."""

from typing import Annotated

import typer

Files = Annotated[
    list[str] | None,
    typer.Argument(help="Judge files, or folders of them.", show_default="judges", metavar="[FILES]..."),
]
DEFAULT_FILES = ("judges",)


def lint(files: Files = None) -> None:
    """Check judge files: keys, values, template variables, filters, prices, code.

    Example: tracegauge judge lint judges/answer_relevance.yaml
    """
    from tracegauge.config.judge import load_judges

    judges = load_judges(files or DEFAULT_FILES)
    for name, spec in judges.items():
        typer.echo(f"{name}: {spec.kind}, {spec.value.type}, digest {spec.digest}")
