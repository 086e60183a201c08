"""Labels and verdicts of the same items, wherever they come from: what a calibration is computed from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tracegauge.judging.scale import Scale
from tracegauge.results.calibration import LabelSource
from tracegauge.results.judgement import Value

ONLY_ORDER = ""
"""The order of a verdict that was given in one order only, or is not pairwise."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one judge and of the labels that it is held against."""

    judge: str
    digest: str | None
    scale: Scale
    labels: Mapping[str, Mapping[str, Value]]
    """By item, then by who gave them."""
    verdicts: Mapping[str, Mapping[str, Value | None]]
    """By item, then by order; None where the judge failed."""
    labels_from: str
    verdicts_from: str
    label_source: LabelSource
    mock: bool = False
    minimum_kappa: float | None = None
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def label_of(self) -> dict[str, Value]:
        """What most people say of each item; an item without a majority is left out."""
        chosen = {item: majority(tuple(given.values())) for item, given in self.labels.items()}
        return {item: value for item, value in chosen.items() if value is not None}

    @cached_property
    def verdict_of(self) -> dict[str, Value]:
        """The judge's one verdict of each item; failures are left out."""
        combined = {item: combine_orders(tuple(given.values())) for item, given in self.verdicts.items()}
        return {item: value for item, value in combined.items() if value is not None}

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """Items with a label and a verdict, in the order of the labels."""
        return tuple(item for item in self.label_of if item in self.verdict_of)

    @property
    def annotators(self) -> tuple[str, ...]:
        """Everyone who gave a label."""
        return tuple(sorted({name for given in self.labels.values() for name in given}))


def majority(values: tuple[Value, ...]) -> Value | None:
    """The value that is given most often; None for a tie, or for no values."""
    ranked = Counter(values).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def combine_orders(values: tuple[Value | None, ...]) -> Value | None:
    """The one verdict of both orders: the same in both, else a tie; None where one of them is missing.

    A preference counts only if it survives the swap: Zheng et al. 2023, "Judging LLM-as-a-judge with MT-Bench and
    Chatbot Arena", section 3.4.
    """
    if not values or any(value is None for value in values):
        return None
    return values[0] if len(set(values)) == 1 else "A=B"
