"""How far a judge can be trusted, for a page: its calibration against labels, and its card from an audit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from tracegauge.reporting.judge_words import (
    coefficient_words,
    counted,
    share_of_words,
    signed_words,
    usage_words,
    value_words,
)
from tracegauge.results.calibration import MOCK_NOTE, SYNTHETIC_NOTE, CalibrationRecord, Disagreement
from tracegauge.results.judge_card import JudgeCard, Perturbation
from tracegauge.results.judges_report import JudgesReport

MOST_DISAGREEMENTS = 20
"""Items that the page shows; all of them are in the raw data."""
_WEIGHTED = {"none": "", "linear": ", linear weights", "quadratic": ", quadratic weights"}

Finding = tuple[str, str]
"""What was looked at, and what was found."""


@dataclass(frozen=True)
class Different:
    """An item on which judge and label differ."""

    item: str
    label: str
    verdict: str
    link: str | None
    """Its trace in the MLflow UI; None where there is none to link to."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration, ready to be shown."""

    against: str
    notes: tuple[str, ...]
    """What must stand wherever its numbers do: that a mock answered, or that the labels are synthetic."""
    warnings: tuple[str, ...]
    agreement: tuple[Finding, ...]
    categories: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """A row for each label, a column for each verdict, in the order of `categories`."""
    different: tuple[Different, ...]
    all_different: int


@dataclass(frozen=True)
class Audited:
    """A judge card, ready to be shown."""

    against: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    steadiness: tuple[Finding, ...]


@dataclass(frozen=True)
class Evidence:
    """What is known of one judge."""

    judge: str
    digest: str
    calibration: Calibrated | None
    card: Audited | None


def evidence_of(report: JudgesReport) -> Iterator[Evidence]:
    """Of each judge that has a calibration or a card, in the order of the report."""
    calibrations = {one.digest or one.judge: one for one in report.calibrations}
    cards = {one.digest: one for one in report.cards}
    for key in dict.fromkeys((*(one.digest for one in report.judges), *calibrations, *cards)):
        calibration, card = calibrations.get(key), cards.get(key)
        if known := calibration or card:
            yield Evidence(
                judge=known.judge,
                digest=known.digest or "",
                calibration=_calibrated(calibration, report) if calibration else None,
                card=_audited(card) if card else None,
            )


def _calibrated(of: CalibrationRecord, report: JudgesReport) -> Calibrated:
    return Calibrated(
        against=f"Against {of.label_source} labels: {of.labels_from}",
        notes=tuple(labels_of(of)),
        warnings=_others(of.warnings),
        agreement=tuple(_agreement(of)),
        categories=tuple(map(value_words, of.categories)),
        confusion=of.confusion,
        different=tuple(_different(one, of, report) for one in of.disagreements[:MOST_DISAGREEMENTS]),
        all_different=len(of.disagreements),
    )


def _audited(of: JudgeCard) -> Audited:
    contents = counted(of.contents, "content")
    return Audited(
        against=f"Against itself: {contents} of {of.contents_from}, each judged {of.repeats} times",
        notes=(MOCK_NOTE,) if of.mock else (),
        warnings=_others(of.warnings),
        steadiness=tuple(_steadiness(of)),
    )


def labels_of(calibration: CalibrationRecord) -> Iterator[str]:
    """What must stand wherever its numbers do."""
    if calibration.mock:
        yield MOCK_NOTE
    if calibration.label_source == "synthetic":
        yield SYNTHETIC_NOTE


def _others(warnings: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in warnings if one not in (MOCK_NOTE, SYNTHETIC_NOTE))


def _agreement(of: CalibrationRecord) -> Iterator[Finding]:
    yield f"Cohen's kappa{_WEIGHTED[of.kappa_weights]}", coefficient_words(of.kappa)
    if of.minimum_kappa is not None:
        met = "met" if of.minimum_met else "NOT met"
        yield "Kappa that the judge's file asks for", f"{of.minimum_kappa:g}: {met}"
    yield "Krippendorff's alpha", coefficient_words(of.alpha)
    if of.accuracy:
        yield "Same as the label", share_of_words(of.accuracy)
    if of.mean_error is not None:
        yield "Mean absolute error", f"{of.mean_error:.3f}, n = {of.judged:,}"
    if of.base_rate:
        yield "Good ones called good (TPR)", share_of_words(of.tpr)
        yield "Others not called good (TNR)", share_of_words(of.tnr)
        yield "Labels that are good", share_of_words(of.base_rate)
        yield "Verdicts that are good", share_of_words(of.judge_rate)
    if people := of.annotators:
        yield (
            f"{counted(people.count, 'person').replace('persons', 'people')} among themselves: alpha",
            (coefficient_words(people.alpha)),
        )
        ceiling, judge = ("–" if one is None else f"{one:.2f}" for one in (people.kappa, people.judge_kappa))
        yield "Mean kappa of two people (the ceiling), of judge and one", f"{ceiling}, {judge}"
    if orders := of.both_orders:
        yield "Same verdict in both orders", share_of_words(orders.consistent)
        yield "Right in both orders", share_of_words(orders.correct_in_both)
        yield "First preferred, where the order decides", share_of_words(orders.first_preferred)
    yield "Labelled, judged, missing", f"{of.labelled:,}, {of.judged:,}, {of.missing:,}"


def _steadiness(card: JudgeCard) -> Iterator[Finding]:
    yield "Repeats do not all agree", share_of_words(card.flips)
    if card.repeat_disagreement is not None:
        yield "Two repeats of one content differ", f"{card.repeat_disagreement:.1%}"
    for one in card.perturbations:
        yield f"Verdict changed by {one.name}", _perturbation(one)
    if card.length is not None:
        verdict = "Verdict less label" if card.length.against_labels else "Verdict"
        slope = signed_words(card.length.slope, card.length.interval)
        yield f"{verdict}, for an answer twice as long", f"{slope}, n = {card.length.n:,}"
    yield "Answers that could not be read", share_of_words(card.parse_failures)
    for kind, count in card.failures.items():
        yield f"Failed: {kind.replace('_', ' ')}", f"{count:,} of {card.judgements:,}"
    yield "Used", "; ".join(usage_words(card))
    if (cost := card.cost_per_1000_usd) is not None and card.calls:
        yield "Price of 1,000 judgements", f"{cost:.4f} USD"
    if card.answered_by:
        yield "Answered by", ", ".join(card.answered_by)


def _perturbation(of: Perturbation) -> str:
    if of.changed is None:
        return f"not tried: {of.why_not}"
    shift = "" if of.mean_shift is None else f"; mean shift {signed_words(of.mean_shift, of.shift_interval)}"
    return f"{share_of_words(of.changed)}{shift}"


def _different(one: Disagreement, calibration: CalibrationRecord, report: JudgesReport) -> Different:
    return Different(
        item=one.item,
        label=value_words(one.label),
        verdict=value_words(one.verdict),
        link=_link(one.item, calibration, report),
    )


def _link(item: str, calibration: CalibrationRecord, report: JudgesReport) -> str | None:
    """The trace in the MLflow UI: where the store is a server, the verdicts were read there, and one experiment is
    all that the trace can be in."""
    server = urlsplit(report.store)
    known = len(report.experiment_ids) == 1 and item.startswith("tr-")
    if not known or server.scheme not in ("http", "https") or report.store not in calibration.verdicts_from:
        return None
    experiment = quote(report.experiment_ids[0], safe="")
    address = f"{server.scheme}://{server.netloc.rpartition('@')[2]}{server.path.rstrip('/')}"
    return f"{address}/#/experiments/{experiment}/traces?selectedEvaluationId={quote(item, safe='')}"
