"""Comparing two saved runs, which is weaker evidence than measuring both in one campaign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, hypot, log, log1p
from pathlib import Path

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.gate.compare_ids import match_ids
from tracegauge.gate.compare_runs import DEFAULT_METRICS, SavedRun, Series, read_run, siblings
from tracegauge.gate.compare_spread import spread_between
from tracegauge.results import METRICS, Verdict, metric
from tracegauge.results.comparison import ComparedMetric, Comparison, Spread
from tracegauge.statistics.holm import holm
from tracegauge.statistics.two_samples import median_half_width, p_beyond, shift_between, widened

ONE_SIDED_ERROR = 0.025
WEAKER = (
    "two separate runs are weaker evidence than one interleaved campaign: the intervals are widened by what two runs "
    "of the same code differ by ({explanation}); `tracegauge bench --against` measures old and new in the same blocks"
)


def compare_runs(
    base: str,
    candidate: str,
    *,
    margin: float,
    renamed: Sequence[str] = (),
    metrics: Sequence[str] = DEFAULT_METRICS,
    allow_different_machines: bool = False,
) -> Comparison:
    """Compare two saved runs by id; `margin` is the allowed relative change for the worse.

    Raises ConfigError for a negative margin, an unknown metric, runs that can't be read, are the same or of different
    kinds, and where no id matches.
    """
    if margin < 0:
        raise ConfigError(f"the margin {margin:g} is negative", hint="0.15 allows a change of 15% for the worse")
    for name in metrics:
        _check_metric(name)
    old, new = read_run(base, metrics), read_run(candidate, metrics)
    if Path(old.ref.path).resolve() == Path(new.ref.path).resolve():
        raise ConfigError(f"{base} would be compared with itself", hint="name two different runs")
    if old.ref.kind != new.ref.kind:
        raise ConfigError(
            f"{base} is a {old.ref.kind} run and {candidate} a {new.ref.kind} run: their ids don't mean the same",
            hint="name two folders of campaigns, or two files of pytest-benchmark",
        )
    matched = match_ids(old.ids, new.ids, renamed)
    spread = spread_between(_beside(old, new, metrics))
    rows = tuple(_decided(list(_rows(old, new, matched.pairs, spread, margin)), margin))
    same_machine = _same_machine(old, new)
    return Comparison(
        base=old.ref,
        candidate=new.ref,
        margin=margin,
        spread=spread,
        rows=rows,
        missing=matched.missing,
        new=matched.new,
        same_machine=same_machine,
        refused=same_machine is False and not allow_different_machines,
        warnings=(WEAKER.format(explanation=spread.explanation), *_warnings(old, new, same_machine, matched.missing)),
        verdict=_overall([row.verdict for row in rows], missing=bool(matched.missing)),
    )


def _check_metric(name: str) -> None:
    try:
        metric(name)
    except KeyError:
        raise ConfigError(f"there is no metric {name!r}", hint=nearest(name, METRICS)) from None


def _beside(old: SavedRun, new: SavedRun, metrics: Sequence[str]) -> list[SavedRun]:
    """Both runs and all that lie beside them, each once."""
    found = {Path(run.ref.path).resolve(): run for run in (old, new)}
    for run in (old, new):
        for other in siblings(run, metrics):
            found.setdefault(Path(other.ref.path).resolve(), other)
    return list(found.values())


@dataclass(frozen=True)
class _Row:
    """One metric of one pair before all rows are looked at together."""

    base_id: str
    id: str
    metric: str
    base: Series | None
    candidate: Series | None
    estimate: float | None = None
    """Logarithm of the ratio, for the worse."""
    half_width: float | None = None
    p: float | None = None
    lost: tuple[int, int] | None = None
    """Traces lost in the base and in the candidate, where that is what the row is about."""


def _rows(
    old: SavedRun, new: SavedRun, pairs: Sequence[tuple[str, str]], spread: Spread, margin: float
) -> Iterator[_Row]:
    for base_id, new_id in pairs:
        names = dict.fromkeys([*old.metrics.get(base_id, ()), *new.metrics.get(new_id, ())])
        for name in names or ("",):
            base, candidate = old.series.get((base_id, name)), new.series.get((new_id, name))
            row = _Row(base_id, new_id, name, base, candidate)
            yield _estimated(row, base, candidate, spread, margin) if base and candidate else row
        if new.lost.get(new_id, 0) > old.lost.get(base_id, 0):
            lost = (old.lost.get(base_id, 0), new.lost[new_id])
            yield _Row(base_id, new_id, "traces_lost", None, None, lost=lost)


def _estimated(row: _Row, base: Series, candidate: Series, spread: Spread, margin: float) -> _Row:
    if base.center <= 0 or candidate.center <= 0 or min((*base.blocks, *candidate.blocks), default=1) <= 0:
        return row
    within: float | None
    if base.blocks and candidate.blocks:
        shift = shift_between([log(one) for one in base.blocks], [log(one) for one in candidate.blocks])
        estimate, within = shift.estimate, shift.half_width
    else:
        estimate = log(candidate.center / base.center)
        within = hypot(*(median_half_width(one.iqr / one.center, one.n) for one in (base, candidate)))
    estimate = -estimate if base.higher_is_better else estimate
    if within is None:
        return _Row(row.base_id, row.id, row.metric, base, candidate, estimate)
    half = widened(within, spread.session_sd, spread.sessions)
    p = p_beyond(estimate, log1p(margin), half, spread.sessions)
    return _Row(row.base_id, row.id, row.metric, base, candidate, estimate, half, p)


def _decided(rows: Sequence[_Row], margin: float) -> Iterator[ComparedMetric]:
    """The verdicts: REGRESSED only where that holds for all rows together (Holm)."""
    tested = [row.p for row in rows if row.p is not None]
    corrected = iter(holm(tested))
    for row in rows:
        p_holm = next(corrected) if row.p is not None else None
        verdict, reason = _verdict(row, margin, p_holm)
        series = [one for one in (row.base, row.candidate) if one]
        yield ComparedMetric(
            id=row.id,
            base_id=row.base_id,
            metric=row.metric or "nothing",
            unit=series[0].unit if series else "traces" if row.lost else "",
            base_median=row.base.center if row.base else row.lost[0] if row.lost else None,
            candidate_median=row.candidate.center if row.candidate else row.lost[1] if row.lost else None,
            base_n=row.base.n if row.base else 0,
            candidate_n=row.candidate.n if row.candidate else 0,
            values="blocks" if row.lost or all(one.blocks for one in series) else "rounds",
            estimate=None if row.estimate is None else exp(row.estimate),
            interval=_interval(row),
            p_holm=p_holm,
            verdict=verdict,
            reason=reason,
        )


def _interval(row: _Row) -> tuple[float, float] | None:
    if row.estimate is None or row.half_width is None:
        return None
    return exp(row.estimate - row.half_width), exp(row.estimate + row.half_width)


def _verdict(row: _Row, margin: float, p_holm: float | None) -> tuple[Verdict, str]:
    if row.lost:
        return Verdict.REGRESSED, f"Up to {row.lost[1]} traces were lost in a block, where it was {row.lost[0]}."
    for side, series in (("base", row.base), ("candidate", row.candidate)):
        if series is None:
            return Verdict.INCONCLUSIVE, f"The {side} has no such number."
    if row.estimate is None:
        return Verdict.INCONCLUSIVE, "A ratio with 0 is not defined."
    interval = _interval(row)
    ratio, limit = exp(row.estimate), 1 + margin
    if interval is None:
        return Verdict.INCONCLUSIVE, f"The ratio is {ratio:.4g}, from too few blocks for an interval: 4 are needed."
    found = f"The ratio is {ratio:.4g}, 95% interval {interval[0]:.4g} to {interval[1]:.4g}"
    if interval[1] <= limit:
        return Verdict.PASS, f"{found}: all of it is within {limit:.4g}."
    if interval[0] > limit:
        if p_holm is not None and p_holm <= ONE_SIDED_ERROR:
            return Verdict.REGRESSED, f"{found}: all of it is above {limit:.4g}."
        return Verdict.INCONCLUSIVE, f"{found}: above {limit:.4g}, but not beyond doubt among so many comparisons."
    return Verdict.INCONCLUSIVE, f"{found}: {limit:.4g} lies inside it, so it can't be told."


def _same_machine(old: SavedRun, new: SavedRun) -> bool | None:
    """By processor and number of cores; the name of a host says nothing: every CI job has another one."""
    if old.ref.machine is None or new.ref.machine is None:
        return None
    pairs = [
        (old.ref.machine.cpu_model, new.ref.machine.cpu_model),
        (old.ref.machine.cpu_cores, new.ref.machine.cpu_cores),
    ]
    if any(a is None or b is None for a, b in pairs):
        return None
    return all(a == b for a, b in pairs)


def _warnings(old: SavedRun, new: SavedRun, same_machine: bool | None, missing: Sequence[str]) -> Iterator[str]:
    if same_machine is False:
        yield f"DIFFERENT MACHINES: the base ran on {_machine(old)}, the candidate on {_machine(new)}"
    elif same_machine is None:
        yield "the runs don't say whether they come from the same machine"
    elif old.ref.machine != new.ref.machine:
        yield f"the hosts differ, though they look alike: {_machine(old)} and {_machine(new)}"
    if missing:
        yield (
            f"{len(missing)} of {len(old.ids)} ids of the base are missing in the candidate, so that nothing can be "
            "said of them; --rename old=new matches ids that have changed"
        )
    yield from (*old.troubles, *new.troubles)


def _machine(run: SavedRun) -> str:
    machine = run.ref.machine
    return f"{machine.host} ({machine.cpu_model}, {machine.cpu_cores} cores)" if machine else "an unknown one"


def _overall(verdicts: Sequence[Verdict], *, missing: bool) -> Verdict:
    if Verdict.REGRESSED in verdicts:
        return Verdict.REGRESSED
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts or missing else Verdict.PASS
