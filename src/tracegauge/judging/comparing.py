"""From what judges said of two sets of traces to a verdict: is B worse than A?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.calibrating import share_of
from tracegauge.judging.scale import NotOnScaleError, Scale, scale_found, scale_of
from tracegauge.judging.scored_traces import Said, Side, paired
from tracegauge.judging.selection import Selection
from tracegauge.results.calibration import MOCK_NOTE, Share
from tracegauge.results.judge_comparison import ChangedItem, JudgeComparison, Measure, Test
from tracegauge.results.judgement import Value
from tracegauge.results.verdict import Verdict
from tracegauge.statistics.bootstrap import weight_bootstrap
from tracegauge.statistics.detectable_difference import (
    ALPHA,
    detectable_difference,
    paired_standard_error,
    unpaired_standard_error,
)
from tracegauge.statistics.difference_tests import fisher_exact, mann_whitney, mcnemar_exact, wilcoxon_signed_rank
from tracegauge.statistics.holm import holm
from tracegauge.statistics.proportions import difference_interval, paired_difference_interval, wilson_interval

Number = Callable[[Value], float]


@dataclass(frozen=True)
class Question:
    """How two sides are compared."""

    margin: float = 0.05
    """Share of the range of a value that may be lost: 0.05 is five points of a pass rate."""
    either_way: bool = False
    """Whether the two should be the same, as for two instruments on the same runs: a gain counts like a loss."""
    pairs: bool | None = None
    """Whether to compare pairs; None: where at least half of the smaller side has one."""


@dataclass(frozen=True)
class _Found:
    """What a comparison of numbers found."""

    a: float
    b: float
    interval: tuple[float, float] | None
    test: Test
    p: float
    standard_error: float


def compare_sides(
    a: Side,
    b: Side,
    chosen: tuple[Selection, Selection],
    store: str,
    matched_by: str,
    question: Question,
    specs: Mapping[str, JudgeSpec] | None = None,
) -> JudgeComparison:
    """Compare the two sides by every judge that scored both; with `specs`, by those judges only.

    Raises ConfigError where a side has no traces, or no judge has scored both.
    """
    for side, selection in zip((a, b), chosen, strict=True):
        if not side.traces:
            raise ConfigError(f"{selection.text} chooses no traces in {store}")
    measures: list[Measure] = []
    mocks = False
    for name, digest in _judges_of_both(a, b, chosen, specs):
        of_a, of_b = a.said[name, digest], b.said[name, digest]
        mocks = mocks or any(one.mock for one in (*of_a, *of_b))
        measures += _measures(name, digest, of_a, of_b, (a.traces, b.traces), question, (specs or {}).get(name))
    corrected = [
        _decided(measure.model_copy(update={"p_holm": p}))
        for measure, p in zip(measures, holm([measure.p for measure in measures]), strict=True)
    ]
    verdicts = {measure.verdict for measure in corrected}
    order = (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.PASS)
    return JudgeComparison(
        store=store,
        a=chosen[0].text,
        b=chosen[1].text,
        made_at=datetime.now(UTC).replace(microsecond=0),
        matched_by=matched_by,
        measures=tuple(corrected),
        verdict=next(one for one in order if one in verdicts),
        mock=mocks,
        warnings=(MOCK_NOTE,) if mocks else (),
    )


def _judges_of_both(
    a: Side, b: Side, chosen: tuple[Selection, Selection], specs: Mapping[str, JudgeSpec] | None
) -> list[tuple[str, str | None]]:
    both = sorted(a.judges() & b.judges(), key=str)
    if specs:
        both = [(spec.name, spec.digest) for spec in specs.values() if (spec.name, spec.digest) in both]
    if both:
        return both
    names = []
    for side, selection in zip((a, b), chosen, strict=True):
        judges = [f"{name} ({digest})" for name, digest in sorted(side.judges(), key=str)]
        names.append(f"{selection.text}: {', '.join(judges) or 'none'}")
    raise ConfigError(
        f"no judge has scored both sides; scored by {'; '.join(names)}",
        hint="a judge with another digest is another judge: `tracegauge judge run` scores both sides with one",
    )


def _measures(
    name: str,
    digest: str | None,
    of_a: Sequence[Said],
    of_b: Sequence[Said],
    traces: tuple[int, int],
    question: Question,
    spec: JudgeSpec | None,
) -> list[Measure]:
    scale = scale_of(spec) if spec else scale_found(one.value for one in (*of_a, *of_b))
    pairs = paired(of_a, of_b)
    enough = 2 * len(pairs) >= min(len(of_a), len(of_b))
    as_pairs = question.pairs if question.pairs is not None else enough
    if as_pairs and not pairs:
        raise ConfigError(f"judge {name!r}: no trace of A matches one of B", hint="match by a tag: --match TAG")
    found = []
    for label, number, span, directed in _numbers(scale, [one.value for one in (*of_a, *of_b)], name):
        binary = label != "mean"
        if as_pairs:
            before, after = ([number(pair[side].value) for pair in pairs] for side in (0, 1))
            result = (_paired_binary if binary else _paired_numbers)(before, after)
        else:
            before, after = [number(one.value) for one in of_a], [number(one.value) for one in of_b]
            result = (_unpaired_binary if binary else _unpaired_numbers)(before, after)
        found.append(
            Measure(
                judge=name,
                digest=digest,
                name=label,
                scored_a=_scored(len(of_a), traces[0]),
                scored_b=_scored(len(of_b), traces[1]),
                pairs=len(pairs) if as_pairs else None,
                a=result.a,
                b=result.b,
                difference=result.b - result.a,
                interval=result.interval,
                test=result.test,
                p=result.p,
                p_holm=result.p,
                detectable=detectable_difference(result.standard_error),
                margin=question.margin * span,
                span=span,
                either_way=question.either_way or not directed,
                **(_contents(pairs) if as_pairs else {}),
                verdict=Verdict.INCONCLUSIVE,
                reason="",
            )
        )
    return found


def _numbers(scale: Scale, values: Sequence[Value], judge: str) -> list[tuple[str, Number, float, bool]]:
    """Name, number of a verdict, range, and whether more is better: of each measure that a scale has."""

    def on_scale(value: Value) -> Value:
        try:
            return scale.parse(value)
        except NotOnScaleError as error:
            raise ConfigError(f"judge {judge!r}: a stored verdict {error}", hint="name its file: --judges") from None

    if scale.kind in ("integer", "float") and set(scale.categories) != {0, 1}:
        numbers = [float(on_scale(value)) for value in values]
        declared = [float(one) for one in scale.categories] or numbers
        return [("mean", lambda value: float(on_scale(value)), (max(declared) - min(declared)) or 1.0, True)]
    if all(scale.good(on_scale(value)) is not None for value in values):
        return [("pass rate", lambda value: float(bool(scale.good(on_scale(value)))), 1.0, True)]

    def share(category: Value) -> Number:
        return lambda value: float(on_scale(value) == category)

    return [(f"share of {category}", share(category), 1.0, False) for category in scale.categories]


def _paired_binary(a: Sequence[float], b: Sequence[float]) -> _Found:
    gained = sum(after > before for before, after in zip(a, b, strict=True))
    lost = sum(after < before for before, after in zip(a, b, strict=True))
    return _Found(
        float(np.mean(a)),
        float(np.mean(b)),
        paired_difference_interval(gained, lost, len(a)),
        "McNemar, exact",
        mcnemar_exact(gained, lost),
        paired_standard_error(gained, lost, len(a)),
    )


def _paired_numbers(a: Sequence[float], b: Sequence[float]) -> _Found:
    differences = np.subtract(b, a)
    interval = weight_bootstrap(len(a), lambda weights: weights @ differences / weights.sum(axis=1))
    error = float(np.std(differences, ddof=1) / np.sqrt(len(a))) if len(a) > 1 else 0.0
    p = wilcoxon_signed_rank([float(one) for one in differences])
    return _Found(float(np.mean(a)), float(np.mean(b)), interval, "Wilcoxon signed-rank", p, error)


def _unpaired_binary(a: Sequence[float], b: Sequence[float]) -> _Found:
    counts = int(sum(a)), len(a), int(sum(b)), len(b)
    return _Found(
        float(np.mean(a)),
        float(np.mean(b)),
        difference_interval(*counts),
        "Fisher, exact",
        fisher_exact(*counts),
        unpaired_standard_error(*counts),
    )


def _unpaired_numbers(a: Sequence[float], b: Sequence[float]) -> _Found:
    values, of_a = np.array([*a, *b]), np.arange(len(a) + len(b)) < len(a)

    def difference(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = [weights[:, side] @ values[side] / weights[:, side].sum(axis=1) for side in (of_a, ~of_a)]
        return np.asarray(means[1] - means[0], dtype=np.float64)

    spread = [float(np.var(side, ddof=1)) / len(side) if len(side) > 1 else 0.0 for side in (a, b)]
    interval = weight_bootstrap(len(values), difference)
    p = mann_whitney(a, b)
    return _Found(float(np.mean(a)), float(np.mean(b)), interval, "Mann-Whitney", p, float(np.sqrt(sum(spread))))


def _scored(count: int, traces: int) -> Share:
    return Share(count=min(count, traces), n=traces, interval=wilson_interval(min(count, traces), traces))


def _contents(pairs: Sequence[tuple[Said, Said]]) -> dict[str, object]:
    known = [(a, b) for a, b in pairs if a.content_digest and b.content_digest]
    same = [(a, b) for a, b in known if a.content_digest == b.content_digest]
    other = [(a, b) for a, b in known if a.content_digest != b.content_digest]
    return {
        "same_content": share_of(a.content_digest == b.content_digest for a, b in known) if known else None,
        "changed_with_same_content": share_of(a.value != b.value for a, b in same) if known else None,
        "changed_with_other_content": share_of(a.value != b.value for a, b in other) if known else None,
        "changed": tuple(
            ChangedItem(a=a.trace_id, b=b.trace_id, value_a=a.value, value_b=b.value)
            for a, b in pairs
            if a.value != b.value
        ),
    }


def _decided(measure: Measure) -> Measure:
    verdict, reason = _verdict(measure)
    return measure.model_copy(update={"verdict": verdict, "reason": reason})


def _verdict(measure: Measure) -> tuple[Verdict, str]:
    """PASS: the interval leaves out a loss of the margin or more. REGRESSED: worse, and not by chance."""
    low, high = measure.interval or (measure.difference, measure.difference)
    within = low > -measure.margin and (high < measure.margin or not measure.either_way)
    if measure.interval is None and measure.a == measure.b and measure.pairs and not measure.changed:
        n = measure.pairs
        if 3 / n * measure.span < measure.margin:  # the rule of three: at most 3/n of such pairs can differ, with 95%
            return Verdict.PASS, f"all {n} pairs are the same"
        return Verdict.INCONCLUSIVE, f"all {n} pairs are the same, which is too few for a margin of {measure.margin:g}"
    if measure.interval is not None and within:
        what = "no difference" if measure.either_way else "no loss"
        return Verdict.PASS, f"{what} of {measure.margin:g} or more, by the 95% interval"
    worse = measure.difference < 0 or (measure.either_way and measure.difference != 0)
    if worse and measure.p_holm <= ALPHA:
        what = "differs" if measure.either_way else "worse"
        return Verdict.REGRESSED, f"{what} by {abs(measure.difference):.3f}, p = {measure.p_holm:.4f} after Holm"
    if not worse and measure.p_holm <= ALPHA:
        return Verdict.PASS, f"better by {measure.difference:.3f}, p = {measure.p_holm:.4f} after Holm"
    return (
        Verdict.INCONCLUSIVE,
        f"neither shown: a difference of {measure.detectable:.3f} would be found in 80% of cases with as many traces",
    )
