"""`tracegauge judge lint`: check judge files without asking anything of a store or a model."""

from typing import Annotated

import typer

Files = Annotated[
    list[str] | None,
    typer.Argument(help="Judge files, or folders of them.", show_default="judges", metavar="[FILES]..."),
]
DEFAULT_FILES = ("judges",)


def lint(
    files: Files = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the judges as JSON, and nothing else.")] = False,
) -> None:
    """Check judge files: keys, values, template variables, filters, prices, keys in the environment, code.

    Example: tracegauge judge lint judges/answer_relevance.yaml
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from tracegauge.config.judge_files import read_judge_files
    from tracegauge.config.validation import one_error
    from tracegauge.judging.checks import judge_faults, judge_warnings

    read = read_judge_files(files or DEFAULT_FILES)
    faults = judge_faults(read)
    if faults:
        raise one_error(faults)
    specs = [one.spec for one in read]
    rows = [(spec.name, spec.kind, spec.value.type, spec.scope, spec.digest) for spec in specs]
    if as_json:
        keys = ("judge", "kind", "value_type", "scope", "digest")
        typer.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("judge", "kind", "says", "judges a", "digest"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*row)
        Console().print(table)
    for warning in judge_warnings(read):
        typer.echo(f"note: {warning}", err=True)
