"""What judges said day by day: a table with a row for each day and a column for each judge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from tracegauge.reporting.judge_words import share_words
from tracegauge.reporting.numbers import render_number
from tracegauge.results.calibration import Share
from tracegauge.results.judge_status import JudgeStatus, TrendPoint
from tracegauge.statistics.proportions import wilson_interval

MOST_DAYS = 14


@dataclass(frozen=True)
class DayCell:
    """A judge on the traces of one day."""

    said: str
    """Pass rate with its interval, or mean; empty where neither can be given."""
    scored: str
    """ "30 of 32 scored", with what failed; empty where nothing was due."""


@dataclass(frozen=True)
class JudgeDays:
    """The latest days on which something was due."""

    judges: tuple[str, ...]
    rows: tuple[tuple[str, tuple[DayCell, ...]], ...]
    """Day and a cell for each judge, the latest day first."""
    left_out: int
    """Days before these."""


def judge_days(judges: Sequence[JudgeStatus]) -> JudgeDays | None:
    """By when (UTC) traces began, not by when they were scored; None where nothing was ever due."""
    points = [{day: _of_day(day, one.trend) for day in _days(one.trend)} for one in judges]
    days = sorted({day for found in points for day in found}, reverse=True)
    if not days:
        return None
    rows = tuple((day.isoformat(), tuple(_cell(found.get(day, ())) for found in points)) for day in days[:MOST_DAYS])
    return JudgeDays(tuple(one.judge for one in judges), rows, len(days) - len(rows))


def _days(trend: Iterable[TrendPoint]) -> set[date]:
    return {point.start.date() for point in trend}


def _of_day(day: date, trend: Iterable[TrendPoint]) -> tuple[TrendPoint, ...]:
    """The points of a trend whose steps may be shorter than a day."""
    return tuple(point for point in trend if point.start.date() == day)


def _cell(points: Sequence[TrendPoint]) -> DayCell:
    due, scored, failed = (sum(getattr(point, name) for point in points) for name in ("due", "scored", "failed"))
    if not due:
        return DayCell("", "")
    words = f"{scored:,} of {due:,} scored" + (f", {failed:,} failed" if failed else "")
    return DayCell(_said([point for point in points if point.scored], scored), words)


def _said(points: Sequence[TrendPoint], scored: int) -> str:
    means = [(point.mean, point.scored) for point in points if point.mean is not None]
    if means:
        return f"mean {render_number(sum(mean * count for mean, count in means) / sum(count for _, count in means))}"
    passed = [point.passed for point in points if point.passed is not None]
    if not passed:
        return ""
    return share_words(Share(count=sum(passed), n=scored, interval=wilson_interval(sum(passed), scored)))
