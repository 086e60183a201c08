"""A judge against itself: the same content again, and changes that should not matter. Without cache and ledger."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import AskingJudge
from tracegauge.judging.asking import CONCURRENCY, answered_by, any_mock, ask
from tracegauge.judging.calibrating import known, share_of
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.judging.perturbing import Change, changes_for
from tracegauge.results.calibration import MOCK_NOTE
from tracegauge.results.judge_card import JudgeCard, LengthSlope, Perturbation
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Scored, Value
from tracegauge.statistics.bootstrap import weight_bootstrap

_PARSE_FAILURES = ("malformed", "out_of_type")
_FEWEST_FOR_SLOPE = 10


@dataclass(frozen=True)
class Subject:
    """A content that a judge is audited on, with its label if it has one."""

    item: str
    content: Content
    label: Value | None = None


async def audit(
    judge: Judge,
    subjects: Sequence[Subject],
    contents_from: str,
    repeats: int,
    concurrency: int = CONCURRENCY,
    on_done: Callable[[], None] | None = None,
) -> JudgeCard:
    """Judge each content `repeats` times as it is, and once with each change.

    Raises ConfigError for no contents, fewer than two repeats, or a judge that fails on everything.
    """
    if not subjects or repeats < 2:
        raise ConfigError("an audit needs contents, and at least 2 repeats of each")
    spec = judge.spec
    judgements: list[Judgement] = []
    rounds: list[list[Judgement]] = []
    for _ in range(repeats):
        rounds.append(await ask(judge, [one.content for one in subjects], concurrency, on_done))
        judgements += rounds[-1]
    if not any(isinstance(one, Scored) for one in judgements):
        first = next(one.message for one in judgements if isinstance(one, Failed))
        raise ConfigError(f"judge {judge.name!r} failed on every content: {first}")
    repeated = [[one.value for one in said if isinstance(one, Scored)] for said in zip(*rounds, strict=True)]
    perturbations = []
    for change in changes_for(spec):
        found, asked = await _perturbed(judge, change, subjects, rounds[0], concurrency, on_done)
        perturbations.append(found)
        judgements += asked
    scored = [one for one in judgements if isinstance(one, Scored)]
    failed = [one for one in judgements if isinstance(one, Failed)]
    latencies = [one.latency_ns / 1e6 for one in scored]
    used = sum((one.usage or NOTHING_USED for one in judgements), NOTHING_USED)
    mock = any_mock(judgements)
    return JudgeCard(
        judge=judge.name,
        digest=judge.digest,
        kind=spec.kind,
        model=spec.model if isinstance(spec, AskingJudge) else None,
        answered_by=answered_by(judgements),
        made_at=datetime.now(UTC).replace(microsecond=0),
        contents_from=contents_from,
        mock=mock,
        contents=len(subjects),
        repeats=repeats,
        flips=share_of(len(set(said)) > 1 for said in repeated if len(said) > 1),
        repeat_disagreement=_disagreement(repeated),
        perturbations=tuple(perturbations),
        length=_length_slope(judge, subjects, repeated),
        parse_failures=share_of(isinstance(one, Failed) and one.kind in _PARSE_FAILURES for one in judgements),
        failures=dict(Counter(str(one.kind) for one in failed)),
        judgements=len(judgements),
        latency_p50_ms=float(np.quantile(latencies, 0.5)),
        latency_p95_ms=float(np.quantile(latencies, 0.95)),
        calls=sum(one.calls for one in judgements),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=used.cost_usd,
        warnings=(MOCK_NOTE,) if mock else (),
    )


async def _perturbed(
    judge: Judge,
    change: Change,
    subjects: Sequence[Subject],
    unchanged: Sequence[Judgement],
    concurrency: int,
    on_done: Callable[[], None] | None,
) -> tuple[Perturbation, list[Judgement]]:
    pairs = [
        (changed, before)
        for subject, before in zip(subjects, unchanged, strict=True)
        if isinstance(before, Scored) and (changed := change.apply(subject.content)) is not None
    ]
    if not pairs:
        empty = Perturbation(name=change.name, description=change.description, changed=None, why_not=change.cannot)
        return empty, []
    asked = await ask(judge, [changed for changed, _ in pairs], concurrency, on_done)
    both = [
        (before.value, change.undo(after.value))
        for (_, before), after in zip(pairs, asked, strict=True)
        if isinstance(after, Scored)
    ]
    numbers = [(as_number(judge, before), as_number(judge, after)) for before, after in both]
    shifts = np.array([after - before for before, after in numbers if before is not None and after is not None])
    found = Perturbation(
        name=change.name,
        description=change.description,
        changed=share_of(before != after for before, after in both),
        mean_shift=float(shifts.mean()) if shifts.size else None,
        shift_interval=weight_bootstrap(len(shifts), lambda weights: weights @ shifts / weights.sum(axis=1)),
    )
    return found, asked


def as_number(judge: Judge, value: Value) -> float | None:
    """A number, or 1 for a good verdict and 0 for another; None where the judge's file says neither."""
    if judge.spec.value.type in ("integer", "float"):
        return float(value)
    good = judge.spec.good(value)
    return None if good is None else float(good)


def _disagreement(repeated: Sequence[Sequence[Value]]) -> float | None:
    """Chance that two judgements of one content differ, over contents with at least two."""
    shares = [np.mean([one != other for one, other in combinations(said, 2)]) for said in repeated if len(said) > 1]
    return float(np.mean(shares)) if shares else None


def _length_slope(judge: Judge, subjects: Sequence[Subject], repeated: Sequence[Sequence[Value]]) -> LengthSlope | None:
    """Least squares of the mean verdict on log2 of the answer's characters; less the label where all have one."""
    lengths: list[float] = []
    means: list[float] = []
    labelled = all(one.label is not None for one in subjects)
    for subject, said in zip(subjects, repeated, strict=True):
        numbers = [number for value in said if (number := as_number(judge, value)) is not None]
        label = as_number(judge, subject.label) if labelled and subject.label is not None else 0.0
        if subject.content.outputs and numbers and label is not None:
            lengths.append(math.log2(len(subject.content.outputs)))
            means.append(float(np.mean(numbers)) - label)
    if not lengths:
        return None
    x, y = np.array(lengths), np.array(means)

    def slope(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        total = weights.sum(axis=1, keepdims=True)
        dx = x - (weights @ x)[:, None] / total
        dy = y - (weights @ y)[:, None] / total
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((weights * dx * dy).sum(axis=1) / (weights * dx * dx).sum(axis=1), dtype=np.float64)

    n = len(x)
    if n < _FEWEST_FOR_SLOPE:
        return LengthSlope(slope=None, interval=None, n=n, against_labels=labelled)
    value = known(float(slope(np.ones((1, n), dtype=np.int64))[0]))
    interval = weight_bootstrap(n, slope)
    return LengthSlope(slope=value, interval=interval, n=n, against_labels=labelled)
