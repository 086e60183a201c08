"""`tracegauge judge compare`: two sets of traces by what judges said of them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tracegauge.cli.judge.calibrate import AsJson
from tracegauge.cli.judge.options import Store

INPUTS = "inputs"


class Pairing(StrEnum):
    """Whether pairs of traces are compared, or both sides as a whole."""

    AUTO = "auto"
    PAIRS = "pairs"
    WHOLE = "whole"


def compare(
    a: Annotated[str, typer.Argument(help="The traces before: version=1.2, experiment=NAME, since=…,until=…")],
    b: Annotated[str, typer.Argument(help="The traces after, in the same way.")],
    store: Store = None,
    judges: Annotated[
        list[str] | None,
        typer.Option("--judges", "-j", help="Judge files, or folders.", show_default="all judges that scored both"),
    ] = None,
    match: Annotated[
        str, typer.Option("--match", help="What makes a pair: equal inputs, or the tag of this name.")
    ] = INPUTS,
    pairing: Annotated[Pairing, typer.Option("--compare", help="auto: pairs where half of the traces match.")] = (
        Pairing.AUTO
    ),
    margin: Annotated[
        float, typer.Option("--margin", min=0, max=1, help="What may be lost, as a share of a value's range.")
    ] = 0.05,
    instruments: Annotated[
        bool,
        typer.Option("--instruments", help="A and B are the same runs by two instruments: any difference counts."),
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison as a page for the browser.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say whether B is worse than A by the judges that scored both. Exit codes: 0 pass, 1 regressed, 2 inconclusive.

    Examples: tracegauge judge compare version=1.2 version=1.3

    tracegauge judge compare experiment=manual experiment=autolog --instruments --html comparison.html
    """
    from rich.console import Console

    from tracegauge.cli.judge.comparison_view import comparison_view
    from tracegauge.cli.outputs import check_writable, write_outputs
    from tracegauge.config.judge import load_judges
    from tracegauge.gate import exit_code
    from tracegauge.judging.comparing import Question, compare_sides
    from tracegauge.judging.scored_traces import Side, read_side
    from tracegauge.judging.selection import Selection, parse_selection
    from tracegauge.judging.trace_reading import TraceReader
    from tracegauge.reporting import render_judge_comparison

    check_writable(html)
    chosen = parse_selection(a), parse_selection(b)
    specs = load_judges(judges) if judges else None
    reader = TraceReader(store)

    def side(of: Selection) -> Side:
        return read_side(reader.read(of.experiments, of.filter, with_spans=match == INPUTS), match)

    pairs = {Pairing.AUTO: None, Pairing.PAIRS: True, Pairing.WHOLE: False}[pairing]
    question = Question(margin, either_way=instruments, pairs=pairs)
    matched_by = "equal inputs" if match == INPUTS else f"the tag {match}"
    found = compare_sides(side(chosen[0]), side(chosen[1]), chosen, reader.uri, matched_by, question, specs)
    if not as_json:
        Console(highlight=False).print(comparison_view(found))
    write_outputs(found, {html: lambda: render_judge_comparison(found)}, as_json=as_json)
    return exit_code(found.verdict)
