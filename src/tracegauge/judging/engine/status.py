"""Where judges stand, read from the ledger; safe while an engine is at work."""

import json
import math
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.judge_records import RECORDS_FOLDER, calibration_of, card_of, corrected_pass_rate
from tracegauge.results.calibration import MOCK_NOTE, Share
from tracegauge.results.judge_status import Corrected, FailureCount, JudgeStatus, NumberSummary, TrendPoint, ValueCount
from tracegauge.results.judges_report import JudgesReport
from tracegauge.statistics.corrected_rate import CorrectedRate
from tracegauge.statistics.proportions import quantile, wilson_interval

Step = Literal["minute", "hour", "day"]
_STEPS: Final[tuple[tuple[Step, int], ...]] = (("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000))
_MOST_POINTS: Final = 60
_MOST_VALUES: Final = 20


def judges_report(
    ledger: Path,
    specs: Mapping[str, JudgeSpec],
    store: str,
    experiments: Mapping[str, str],
    records_folder: Path = RECORDS_FOLDER,
) -> JudgesReport:
    """The status of all judges, with their calibrations and cards. A store without a ledger has been judged by none.

    `experiments` are ids by name. Raises ConfigError for a damaged calibration.
    """
    calibrations = [calibration_of(spec, records_folder) for spec in specs.values()]
    cards = [card_of(spec, records_folder) for spec in specs.values()]
    # An empty database in the place of a file that is not there: reading must not make one.
    connection = sqlite3.connect(f"file:{ledger}?mode=ro" if ledger.exists() else ":memory:", uri=True, timeout=30)
    try:
        if not ledger.exists():
            from tracegauge.judging.engine.ledger import TABLES

            connection.executescript(TABLES)
        judges = tuple(_status(connection, spec, records_folder) for spec in specs.values())
    finally:
        connection.close()
    return JudgesReport(
        made_at=datetime.now(UTC),
        store=store,
        experiments=tuple(experiments),
        experiment_ids=tuple(experiments.values()),
        judges=judges,
        calibrations=tuple(one for one in calibrations if one is not None),
        cards=tuple(one for one in cards if one is not None),
    )


def _status(connection: sqlite3.Connection, spec: JudgeSpec, records_folder: Path) -> JudgeStatus:
    digest = spec.digest

    def rows(query: str) -> list[Any]:
        return connection.execute(query.format(mine="FROM entries WHERE digest = ?"), (digest,)).fetchall()

    states = dict(rows("SELECT state, count(*) {mine} GROUP BY state"))
    scored, failed, skipped = (states.get(one, 0) for one in ("scored", "failed", "skipped_by_budget"))
    waiting, out = states.get("eligible", 0), states.get("sampled_out", 0)
    due = scored + failed + skipped + waiting
    rated, good = rows("SELECT count(passed), coalesce(sum(passed), 0) {mine} AND state = 'scored'")[0]
    passed = _share(good, rated) if rated else None
    calls, given, made, priced, cost, cached, mock, last = rows(
        "SELECT coalesce(sum(calls), 0), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),"
        " count(*) = count(cost_usd), sum(cost_usd), coalesce(sum(cached), 0), coalesce(max(mock), 0),"
        " max(CASE state WHEN 'scored' THEN updated_ms END) {mine}"
    )[0]
    step, trend = _trend(connection, spec)
    numeric = spec.value.type in ("integer", "float")
    return JudgeStatus(
        judge=spec.name,
        digest=digest,
        kind=spec.kind,
        description=spec.description,
        scope=spec.scope,
        value_type=spec.value.type,
        model=getattr(spec, "model", None),
        sampling_rate=spec.sampling.rate,
        seen=due + out,
        sampled_out=out,
        due=due,
        scored=scored,
        failed=failed,
        skipped_by_budget=skipped,
        waiting=waiting,
        coverage=_share(scored, due),
        passed=passed,
        pass_bounds=(good / due, (good + due - scored) / due) if passed and rated == scored else None,
        corrected=None if passed is None else _corrected(spec, good, rated, records_folder),
        distribution=()
        if spec.value.type in ("float", "text")
        else tuple(
            ValueCount(value=json.loads(value), count=count)
            for value, count in rows(
                "SELECT value, count(*) AS n {mine} AND state = 'scored' GROUP BY value"
                f" ORDER BY n DESC, value LIMIT {_MOST_VALUES}"
            )
        ),
        numbers=_numbers(
            *rows(
                "SELECT count(*), sum(CAST(value AS REAL)), sum(CAST(value AS REAL) * CAST(value AS REAL)),"
                " min(CAST(value AS REAL)), max(CAST(value AS REAL)) {mine} AND state = 'scored'"
            )[0]
        )
        if numeric and scored
        else None,
        failures=tuple(
            FailureCount(kind=kind or "unknown", count=count, example=message or "", next_try=_time(next_try))
            for kind, count, message, next_try, _ in rows(
                "SELECT failure, count(*) AS n, message, min(next_try_ms), max(updated_ms) {mine}"
                " AND state = 'failed' GROUP BY failure ORDER BY n DESC"
            )
        ),
        trend=trend,
        trend_step=step,
        calls=calls,
        input_tokens=given,
        output_tokens=made,
        cost_usd=(cost or 0.0) if priced else None,
        cached=cached,
        latency_p50_ms=_latency(connection, digest, 0.5),
        latency_p95_ms=_latency(connection, digest, 0.95),
        last_scored_at=_time(last),
        mock=bool(mock),
        labels=(MOCK_NOTE,) if mock else (),
    )


def _share(count: int, n: int) -> Share:
    return Share(count=count, n=n, interval=wilson_interval(count, n))


def _corrected(spec: JudgeSpec, passed: int, judged: int, folder: Path) -> Corrected:
    found = corrected_pass_rate(calibration_of(spec, folder), passed, judged)
    if isinstance(found, CorrectedRate):
        return Corrected(rate=found.rate, interval=found.interval)
    return Corrected(rate=None, interval=None, why_not=found.reason)


def _numbers(n: int, total: float, squares: float, minimum: float, maximum: float) -> NumberSummary:
    """Normal 95% interval of the mean, from the standard error."""
    mean = total / n
    interval = None
    if n > 1:
        half = quantile(0.95) * math.sqrt(max(0.0, squares - n * mean**2) / (n - 1) / n)
        interval = (mean - half, mean + half)
    return NumberSummary(n=n, mean=mean, interval=interval, minimum=minimum, maximum=maximum)


def _trend(connection: sqlite3.Connection, spec: JudgeSpec) -> tuple[Step, tuple[TrendPoint, ...]]:
    """By minute, hour or day: the finest that gives at most 60 points; of days, the last 60."""
    first, last = connection.execute(
        "SELECT min(at_ms), max(at_ms) FROM entries WHERE digest = ? AND state <> 'sampled_out'", (spec.digest,)
    ).fetchone()
    if first is None:
        return "day", ()
    fine = (one for one in _STEPS if last // one[1] - first // one[1] < _MOST_POINTS)
    step, size = next(fine, _STEPS[-1])
    numeric = spec.value.type in ("integer", "float")
    points = connection.execute(
        "SELECT at_ms / ?1 AS step, count(*), sum(state = 'scored'), sum(state = 'failed'), sum(passed),"
        " avg(CASE state WHEN 'scored' THEN CAST(value AS REAL) END)"
        " FROM entries WHERE digest = ?2 AND state <> 'sampled_out' GROUP BY step ORDER BY step DESC LIMIT ?3",
        (size, spec.digest, _MOST_POINTS),
    ).fetchall()
    return step, tuple(
        TrendPoint(
            start=datetime.fromtimestamp(number * size / 1000, UTC),
            due=due,
            scored=scored,
            failed=failed,
            passed=passed,
            mean=mean if numeric else None,
        )
        for number, due, scored, failed, passed, mean in reversed(points)
    )


def _latency(connection: sqlite3.Connection, digest: str, share: float) -> float | None:
    """The smallest latency that at least this share of the judgements did not exceed; cached ones have none."""
    where = "FROM entries WHERE digest = ? AND state = 'scored' AND latency_ms IS NOT NULL"
    n = connection.execute(f"SELECT count(*) {where}", (digest,)).fetchone()[0]
    if not n:
        return None
    query = f"SELECT latency_ms {where} ORDER BY latency_ms LIMIT 1 OFFSET ?"
    found: float = connection.execute(query, (digest, math.ceil(share * n) - 1)).fetchone()[0]
    return found


def _time(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
