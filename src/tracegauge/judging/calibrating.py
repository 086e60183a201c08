"""From labels and verdicts of the same items to a calibration."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracegauge.config.errors import ConfigError
from tracegauge.judging.evidence import Evidence
from tracegauge.judging.scale import Scale
from tracegauge.results.calibration import (
    MOCK_NOTE,
    SYNTHETIC_NOTE,
    Annotators,
    BothOrders,
    CalibrationRecord,
    Coefficient,
    Disagreement,
    Share,
)
from tracegauge.results.judgement import Value
from tracegauge.statistics.agreement import cohen_kappa, confusion_matrix, krippendorff_alpha
from tracegauge.statistics.bootstrap import count_bootstrap, weight_bootstrap
from tracegauge.statistics.proportions import wilson_interval

FEWEST = 10
"""Items with label and verdict, below which there is no calibration."""
FEW = 50
"""Below which a calibration says that its intervals are wide."""
_ALPHA_RESAMPLES = 500


def calibrate(evidence: Evidence) -> CalibrationRecord:
    """Hold verdicts against labels.

    Raises ConfigError where fewer than 10 items have both.
    """
    scale, items = evidence.scale, evidence.compared
    _refuse_too_few(evidence)
    labels = [evidence.label_of[item] for item in items]
    verdicts = [evidence.verdict_of[item] for item in items]
    counts = confusion_matrix(labels, verdicts, scale.categories) if scale.categories else None
    good_labels, good_verdicts = [scale.good(one) for one in labels], [scale.good(one) for one in verdicts]
    defined = None not in good_labels and None not in good_verdicts
    record = CalibrationRecord(
        judge=evidence.judge,
        digest=evidence.digest,
        made_at=datetime.now(UTC).replace(microsecond=0),
        labels_from=evidence.labels_from,
        verdicts_from=evidence.verdicts_from,
        label_source=evidence.label_source,
        mock=evidence.mock,
        scale=scale.kind,
        kappa_weights=scale.weights,
        categories=scale.categories,
        labelled=len(evidence.labels),
        judged=len(items),
        missing=len(evidence.label_of) - len(items),
        confusion=tuple(tuple(map(int, row)) for row in counts) if counts is not None else (),
        accuracy=share_of(map(_same, labels, verdicts)) if counts is not None else None,
        kappa=_kappa(counts, scale, good_labels, good_verdicts),
        alpha=_alpha([[label, verdict] for label, verdict in zip(labels, verdicts, strict=True)], scale),
        mean_error=_mean_error(labels, verdicts) if scale.kind in ("integer", "float") else None,
        tpr=_of_those(good_labels, good_verdicts, True) if defined else None,
        tnr=_of_those(good_labels, good_verdicts, False) if defined else None,
        base_rate=share_of(map(bool, good_labels)) if defined else None,
        judge_rate=share_of(map(bool, good_verdicts)) if defined else None,
        annotators=_annotators(evidence),
        both_orders=_both_orders(evidence),
        disagreements=tuple(
            Disagreement(item=item, label=label, verdict=verdict)
            for item, label, verdict in zip(items, labels, verdicts, strict=True)
            if label != verdict
        ),
        minimum_kappa=evidence.minimum_kappa,
    )
    return record.model_copy(update={"warnings": tuple(_warnings(evidence, record, labels, verdicts))})


def share_of(flags: Iterable[bool]) -> Share:
    """How many of the flags are true."""
    listed = list(flags)
    return Share(count=sum(listed), n=len(listed), interval=wilson_interval(sum(listed), len(listed)))


def _refuse_too_few(evidence: Evidence) -> None:
    judged = len(evidence.compared)
    if judged >= FEWEST:
        return
    if not evidence.verdict_of:
        raise ConfigError(
            f"judge {evidence.judge!r} has no verdicts among {len(evidence.labels)} labelled items",
            hint=f"verdicts were looked for in {evidence.verdicts_from}",
        )
    raise ConfigError(
        f"judge {evidence.judge!r}: only {judged} items have both label and verdict; at least {FEWEST} are needed",
        hint=f"{len(evidence.labels)} items are labelled ({evidence.labels_from}), "
        f"{len(evidence.verdict_of)} are judged ({evidence.verdicts_from})",
    )


def _warnings(
    evidence: Evidence, record: CalibrationRecord, labels: Sequence[Value], verdicts: Sequence[Value]
) -> Iterable[str]:
    if record.mock:
        yield MOCK_NOTE
    if record.label_source == "synthetic":
        yield SYNTHETIC_NOTE
    yield from evidence.warnings
    if record.judged < FEW:
        yield f"only {record.judged} items: the intervals are wide, and {FEW} or more say much more"
    if len(set(labels)) == 1:
        yield f"every label is {labels[0]}: kappa can't be known without the other values"
    elif len(set(verdicts)) == 1:
        yield f"the judge says {verdicts[0]} of everything"
    if record.missing:
        of = record.judged + record.missing
        yield f"{record.missing} of {of} labelled items have no verdict, and count for nothing"
    orders = record.both_orders
    flips = orders.items - orders.consistent.count if orders else 0
    if orders and orders.items and flips > orders.items / 2:
        yield (
            f"the verdict changes with the order in {flips} of {orders.items} items; if the verdicts name positions "
            "instead of answers, say --verdicts-name positions"
        )


def _same(label: Value, verdict: Value) -> bool:
    return label == verdict


def _of_those(labels: Sequence[bool | None], verdicts: Sequence[bool | None], of: bool) -> Share:
    return share_of(verdict == of for label, verdict in zip(labels, verdicts, strict=True) if label == of)


def _mean_error(labels: Sequence[Value], verdicts: Sequence[Value]) -> float:
    return float(np.mean(np.abs(np.subtract(np.asarray(labels, float), np.asarray(verdicts, float)))))


def _kappa(
    counts: NDArray[np.int64] | None,
    scale: Scale,
    good_labels: Sequence[bool | None],
    good_verdicts: Sequence[bool | None],
) -> Coefficient:
    if counts is None:
        if None in good_labels or None in good_verdicts:
            return Coefficient(value=None, interval=None, n=len(good_labels))
        counts = confusion_matrix(good_labels, good_verdicts, (False, True))

    def statistic(tables: NDArray[Any]) -> NDArray[np.float64]:
        return cohen_kappa(tables, scale.weights)

    return Coefficient(
        value=known(float(statistic(counts))), interval=count_bootstrap(counts, statistic), n=int(counts.sum())
    )


def _alpha(units: Sequence[Sequence[Value]], scale: Scale) -> Coefficient:
    """Krippendorff's alpha of units, each with the values that any number of raters gave it."""
    values = list(scale.categories) or sorted({value for unit in units for value in unit}, key=float)
    place = {value: index for index, value in enumerate(values)}
    counts = np.zeros((len(units), len(values)), dtype=np.int64)
    for row, unit in enumerate(units):
        for value in unit:
            counts[row, place[value]] += 1
    domain = [float(value) for value in values] if scale.kind in ("integer", "float") else list(range(len(values)))

    def statistic(drawn: NDArray[Any]) -> NDArray[np.float64]:
        return np.array([krippendorff_alpha(np.repeat(counts, times, axis=0), domain, scale.level) for times in drawn])

    interval = weight_bootstrap(len(units), statistic, resamples=_ALPHA_RESAMPLES)
    return Coefficient(value=known(krippendorff_alpha(counts, domain, scale.level)), interval=interval, n=len(units))


def _annotators(evidence: Evidence) -> Annotators | None:
    names, labels = evidence.annotators, evidence.labels
    shared = [tuple(given.values()) for given in labels.values() if len(given) >= 2]
    if len(names) < 2 or not shared:
        return None
    of: dict[str, dict[str, Value]] = {name: {} for name in names}
    for item, given in labels.items():
        for name, value in given.items():
            of[name][item] = value
    return Annotators(
        count=len(names),
        items=len(shared),
        alpha=_alpha(shared, evidence.scale),
        kappa=_mean_kappa(combinations(of.values(), 2), evidence.scale),
        judge_kappa=_mean_kappa(((given, evidence.verdict_of) for given in of.values()), evidence.scale),
        ties=len(labels) - len(evidence.label_of),
    )


def _mean_kappa(pairs: Iterable[tuple[dict[str, Value], dict[str, Value]]], scale: Scale) -> float | None:
    kappas: list[float] = []
    to_class: Callable[[Value], Any] = (lambda value: value) if scale.categories else scale.good
    for one, other in pairs:
        both = [item for item in one if item in other]
        classes = scale.categories or (False, True)
        given = [to_class(one[item]) for item in both], [to_class(other[item]) for item in both]
        if None not in given[0] and None not in given[1]:
            kappas.append(float(cohen_kappa(confusion_matrix(*given, classes), scale.weights)))
    kappas = [kappa for kappa in kappas if math.isfinite(kappa)]
    return float(np.mean(kappas)) if kappas else None


def _both_orders(evidence: Evidence) -> BothOrders | None:
    both = {
        item: (given["AB"], given["BA"])
        for item, given in evidence.verdicts.items()
        if given.get("AB") is not None and given.get("BA") is not None
    }
    if evidence.scale.kind != "pairwise" or not both:
        return None
    swayed = [pair for pair in both.values() if pair[0] != pair[1] and "A=B" not in pair]
    labelled = [(evidence.label_of[item], pair) for item, pair in both.items() if item in evidence.label_of]
    return BothOrders(
        items=len(both),
        consistent=share_of(ab == ba for ab, ba in both.values()),
        first_preferred=share_of(pair == ("A>B", "B>A") for pair in swayed),
        correct_in_both=share_of(ab == ba == label for label, (ab, ba) in labelled),
    )


def known(value: float) -> float | None:
    """None for NaN."""
    return value if math.isfinite(value) else None
