"""The judges section of a report: a row for each judge, its days, then what is known of how far it can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tracegauge.reporting.judge_days import JudgeDays, judge_days
from tracegauge.reporting.judge_evidence import Evidence, evidence_of
from tracegauge.reporting.judge_words import (
    NOT_CALIBRATED,
    coefficient_words,
    counted,
    interval_words,
    model_words,
    share_words,
    usage_words,
    value_words,
)
from tracegauge.reporting.numbers import render_number, render_plain
from tracegauge.results.calibration import MOCK_NOTE, CalibrationRecord
from tracegauge.results.judge_status import JudgeStatus
from tracegauge.results.judges_report import JudgesReport

_VALUES_SHOWN = 6


@dataclass(frozen=True)
class FailureWords:
    """Failures of one kind."""

    what: str
    example: str
    next_try: str


@dataclass(frozen=True)
class JudgeRow:
    """One judge, ready to be shown."""

    judge: str
    digest: str
    description: str
    what: str
    """Kind and model."""
    notes: tuple[str, ...]
    """What must stand wherever the scores do."""
    coverage: str
    """Scored of due."""
    unscored: str
    """What became of the others; empty where all are scored."""
    passed: str
    bounds: str
    """Where the pass rate of all that is due must lie; empty where all are scored."""
    corrected: str
    """The pass rate less the judge's errors; empty where there is none."""
    not_corrected: str
    """Why there is none; empty where there is one, or no pass rate to correct."""
    said: str
    """The distribution, or the mean with how many it covers."""
    agreement: str
    """Kappa against labels, and whose."""
    used: tuple[str, ...]
    """Latency, calls, tokens and price."""
    failures: tuple[FailureWords, ...]


@dataclass(frozen=True)
class JudgesView:
    """The section."""

    scope: str
    alert: str | None
    """How many judgements failed; None where none did."""
    rows: tuple[JudgeRow, ...]
    days: JudgeDays | None
    evidence: tuple[Evidence, ...]


def judges_view(report: JudgesReport) -> JudgesView:
    """The section in words."""
    calibrations = {one.digest: one for one in report.calibrations}
    return JudgesView(
        scope=_scope(report),
        alert=_alert(report.judges),
        rows=tuple(_row(one, calibrations.get(one.digest)) for one in report.judges),
        days=judge_days(report.judges),
        evidence=tuple(evidence_of(report)),
    )


def _scope(report: JudgesReport) -> str:
    judges = counted(len(report.judges), "judge")
    experiments = f"experiment{'' if len(report.experiments) == 1 else 's'} {', '.join(report.experiments)}"
    where = experiments if report.experiments else "no experiment"
    return f"{judges} of {where} in {_store(report.store)}, as of {report.made_at:%Y-%m-%d %H:%M} UTC."


def _store(uri: str) -> str:
    """A server's address, or the name of a database's file: where it lies says nothing on another machine."""
    return uri.rpartition("/")[2] if uri.startswith("sqlite:") else uri


def _alert(judges: Sequence[JudgeStatus]) -> str | None:
    failing = [one for one in judges if one.failed]
    if not failing:
        return None
    failed, due = sum(one.failed for one in judges), sum(one.due for one in judges)
    named = ", ".join(f"{one.judge} {one.failed:,}" for one in failing)
    return f"{failed:,} of {counted(due, 'judgement')} failed ({named}): they are in no rate and in no mean below."


def _row(one: JudgeStatus, calibration: CalibrationRecord | None) -> JudgeRow:
    units = "traces" if one.scope == "trace" else "conversations"
    low, high = one.pass_bounds or (0.0, 1.0)
    complete = one.scored == one.due
    mocked = one.mock or (calibration is not None and calibration.mock)
    return JudgeRow(
        judge=one.judge,
        digest=one.digest,
        description=one.description,
        what=model_words(one.kind, one.model),
        notes=tuple(dict.fromkeys((*((MOCK_NOTE,) if mocked else ()), *one.labels))),
        coverage=f"{one.scored:,} of {one.due:,} {units}",
        unscored=_unscored(one),
        passed=_passed(one),
        bounds="" if complete or one.pass_bounds is None else f"all due: between {low:.1%} and {high:.1%}",
        corrected=_corrected(one),
        not_corrected=f"not corrected: {one.corrected.why_not}" if one.corrected and one.corrected.rate is None else "",
        said=_said(one),
        agreement=_agreement(calibration),
        used=usage_words(one),
        failures=tuple(
            FailureWords(
                what=f"{failure.count:,} {failure.kind.replace('_', ' ')}",
                example=failure.example,
                next_try=_next_try(failure.next_try),
            )
            for failure in one.failures
        ),
    )


def _unscored(one: JudgeStatus) -> str:
    """ "2 failed, 1 waiting"."""
    named = (
        (one.failed, "failed"),
        (one.skipped_by_budget, "skipped by budget"),
        (one.waiting, "waiting"),
        (one.sampled_out, "sampled out, not due"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in named if count)


def _passed(one: JudgeStatus) -> str:
    if one.passed is None:
        return "its file does not say which are good" if one.scored else "–"
    return f"{share_words(one.passed)} of {one.passed.n:,} scored"


def _corrected(one: JudgeStatus) -> str:
    if one.corrected is None or one.corrected.rate is None:
        return ""
    return f"corrected {one.corrected.rate:.1%} {interval_words(one.corrected.interval)}"


def _said(one: JudgeStatus) -> str:
    if one.numbers is not None:
        of, numbers = f"of {one.numbers.n:,} scored, {one.due:,} due", one.numbers
        interval = "" if numbers.interval is None else " [{}, {}]".format(*map(render_number, numbers.interval))
        between = f"between {render_plain(numbers.minimum)} and {render_plain(numbers.maximum)}"
        return f"mean {render_number(numbers.mean)}{interval} {of}; {between}"
    if not one.distribution:
        return "texts" if one.scored else "nothing yet"
    shown = [f"{value_words(each.value)} {each.count:,}" for each in one.distribution[:_VALUES_SHOWN]]
    rest = sum(each.count for each in one.distribution[_VALUES_SHOWN:])
    return ", ".join([*shown, *([f"others {rest:,}"] if rest else [])])


def _agreement(record: CalibrationRecord | None) -> str:
    if record is None:
        return NOT_CALIBRATED
    return f"kappa {coefficient_words(record.kappa)}, {record.label_source} labels"


def _next_try(at: datetime | None) -> str:
    return "not tried again" if at is None else f"tried again from {at:%Y-%m-%d %H:%M} UTC"
