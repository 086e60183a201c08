"""Two sets of traces by what judges said of them, as a page: what moved, by how much, how sure."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from tracegauge.reporting.judge_words import difference_words, is_share, share_of_words, value_words
from tracegauge.reporting.numbers import MISSING
from tracegauge.reporting.page import PageFigure, render_page
from tracegauge.results.calibration import MOCK_NOTE
from tracegauge.results.judge_comparison import JudgeComparison, Measure
from tracegauge.results.verdict import Verdict

MOST_CHANGED = 50
"""Pairs that the page shows of a measure; `--json` gives all of them."""


@dataclass(frozen=True)
class MeasureWords:
    """One measure, ready to be shown."""

    judge: str
    digest: str
    name: str
    a: str
    b: str
    difference: str
    """B less A, with its interval."""
    allowed: str
    p: str
    """After Holm's correction."""
    test: str
    detectable: str
    compared: str
    """Pairs, or all that is scored."""
    scored_a: str
    scored_b: str
    same_content: str
    changed_with_same_content: str
    """The judge's own noise."""
    changed_with_other_content: str
    changed: tuple[tuple[str, str, str, str], ...]
    """Trace of A, what was said of it, trace of B, what was said of it."""
    all_changed: int
    verdict: str
    reason: str


def render_judge_comparison(comparison: JudgeComparison) -> str:
    """The page. Everything but the figure's SVG is escaped; the same comparison gives the same page."""
    from tracegauge.reporting.figures.judge_comparison import TITLE, draw_judge_comparison
    from tracegauge.reporting.figures.style import inline_svg

    drawing = draw_judge_comparison(comparison)
    svg = Markup(inline_svg(drawing.figure, "judge-comparison")) if drawing.figure else None
    rows = [(measure, measure_words(measure, comparison.matched_by)) for measure in comparison.measures]
    return render_page(
        "judge_comparison.html.j2",
        comparison=comparison,
        sentence=" ".join(_sentences(comparison)),
        mock=MOCK_NOTE if comparison.mock else None,
        warnings=[one for one in comparison.warnings if one != MOCK_NOTE],
        rows=rows,
        paired=any(measure.pairs is not None for measure in comparison.measures),
        figure=PageFigure("judge-comparison", TITLE, drawing.finding, svg),
        choices={
            "judge": list(dict.fromkeys(measure.judge for measure in comparison.measures)),
            "verdict": list(dict.fromkeys(str(measure.verdict) for measure in comparison.measures)),
        },
    )


def measure_words(of: Measure, matched_by: str) -> MeasureWords:
    """One measure in words: shares as percentages, their differences in percentage points."""
    shown = of.changed[:MOST_CHANGED]
    return MeasureWords(
        judge=of.judge,
        digest=of.digest or "not one of ours",
        name=of.name,
        a=_level(of, of.a),
        b=_level(of, of.b),
        difference=difference_words(of),
        allowed=f"{_size(of, of.margin)} {'either way' if of.either_way else 'lost'}",
        p="< 0.001" if of.p_holm < 0.001 else f"{of.p_holm:.3f}",
        test=of.test,
        detectable=_size(of, of.detectable),
        compared="all that is scored" if of.pairs is None else f"{of.pairs:,} pairs by {matched_by}",
        scored_a=share_of_words(of.scored_a),
        scored_b=share_of_words(of.scored_b),
        same_content=share_of_words(of.same_content),
        changed_with_same_content=share_of_words(of.changed_with_same_content),
        changed_with_other_content=share_of_words(of.changed_with_other_content),
        changed=tuple((one.a, value_words(one.value_a), one.b, value_words(one.value_b)) for one in shown),
        all_changed=len(of.changed),
        verdict=str(of.verdict),
        reason=of.reason,
    )


def _level(of: Measure, value: float) -> str:
    return f"{value:.1%}" if is_share(of) else f"{value:.2f}"


def _size(of: Measure, value: float) -> str:
    return f"{100 * value:.1f} points" if is_share(of) else f"{value:.2f}"


def _sentences(comparison: JudgeComparison) -> Iterator[str]:
    verdicts = [measure.verdict for measure in comparison.measures]
    named = ((Verdict.REGRESSED, "regressed"), (Verdict.INCONCLUSIVE, "can't be told"), (Verdict.PASS, "passed"))
    parts = [f"{verdicts.count(verdict)} {word}" for verdict, word in named if verdict in verdicts]
    yield f"Of {len(verdicts)} {'measure' if len(verdicts) == 1 else 'measures'}, {', '.join(parts) or MISSING}."
