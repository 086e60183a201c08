"""A comparison of two sets of traces in the terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tracegauge.cli.judge.calibration_view import share_text
from tracegauge.results.judge_comparison import JudgeComparison, Measure

_STYLES = {"PASS": "bold green", "REGRESSED": "bold red", "INCONCLUSIVE": "bold yellow"}
_SHOWN = 5


def comparison_view(comparison: JudgeComparison) -> RenderableType:
    """Each measure with its evidence, then the verdict."""
    parts: list[RenderableType] = [Text(f"A: {comparison.a}\nB: {comparison.b}\nin {comparison.store}", style="bold")]
    for measure in comparison.measures:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
        table.add_column(
            Text(f"{measure.judge} ({measure.digest or 'not one of ours'}): {measure.name}"), overflow="fold"
        )
        table.add_column("[95% interval]", overflow="fold")
        for name, value in _rows(measure, comparison.matched_by):
            table.add_row(Text(name), Text(value))
        parts.append(table)
        parts.append(Text.assemble((measure.verdict, _STYLES[measure.verdict]), f"  {measure.reason}\n"))
    parts.extend(Text(f"note: {warning}", style="yellow") for warning in comparison.warnings)
    parts.append(Text(f"overall: {comparison.verdict}", style=_STYLES[comparison.verdict]))
    return Group(*parts)


def _rows(of: Measure, matched_by: str) -> Iterator[tuple[str, str]]:
    yield "A, B", f"{of.a:.3f}, {of.b:.3f}"
    limits = f" [{of.interval[0]:+.3f}, {of.interval[1]:+.3f}]" if of.interval else ""
    allowed = "either way" if of.either_way else "lost"
    yield "B less A", f"{of.difference:+.3f}{limits}, {of.margin:g} may be {allowed}"
    yield of.test, f"p = {of.p:.4f}, {of.p_holm:.4f} after Holm"
    yield "detectable with 80% power", f"{of.detectable:.3f}"
    yield "compared", "all that is scored" if of.pairs is None else f"{of.pairs} pairs, by {matched_by}"
    yield "scored in A", share_text(of.scored_a)
    yield "scored in B", share_text(of.scored_b)
    if of.same_content is not None:
        yield "judge saw the same in A and B", share_text(of.same_content)
        yield "  and said something else", share_text(of.changed_with_same_content)
        yield "saw different contents, and said something else", share_text(of.changed_with_other_content)
    if of.changed:
        shown = "; ".join(f"{one.a} {one.value_a} → {one.b} {one.value_b}" for one in of.changed[:_SHOWN])
        yield f"changed: {len(of.changed)}", shown + (" …" if len(of.changed) > _SHOWN else "")
