"""Two sets of traces, compared by what judges said of them."""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tracegauge.results.calibration import Share
from tracegauge.results.judgement import Value
from tracegauge.results.verdict import Verdict

COMPARISON_SCHEMA_VERSION: Final = 1

Test = Literal["McNemar, exact", "Wilcoxon signed-rank", "Fisher, exact", "Mann-Whitney"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangedItem(_Record):
    """A pair of which the judge says one thing in A and another in B."""

    a: str
    """Trace id."""
    b: str
    value_a: Value
    value_b: Value


class Measure(_Record):
    """One judge's verdicts in A and in B, as one number of each."""

    judge: str
    digest: str | None
    name: str
    """`pass rate`, `mean`, or `share of CATEGORY`."""
    scored_a: Share
    """Traces of A that this judge scored."""
    scored_b: Share
    pairs: int | None
    """Items that both sides have; None where the sides are compared as a whole."""
    a: float
    """Over the pairs, or over all that is scored."""
    b: float
    difference: float
    """B less A: below 0 is worse."""
    interval: tuple[float, float] | None
    """95%."""
    test: Test
    p: float
    p_holm: float
    """Corrected for all measures of the comparison."""
    detectable: float
    """The smallest true difference that a test of this size would find in 80% of cases."""
    margin: float
    """What may be lost; in the unit of the measure."""
    span: float
    """Range of the values: 1 for a share."""
    either_way: bool
    """Whether a gain counts as much as a loss."""
    same_content: Share | None = None
    """Pairs in which the judge saw the same in A and B; None where that is not known."""
    changed_with_same_content: Share | None = None
    """Of the pairs with the same content, other verdicts: the judge's own noise."""
    changed_with_other_content: Share | None = None
    """Of the pairs with different contents, other verdicts."""
    changed: tuple[ChangedItem, ...] = ()
    verdict: Verdict
    reason: str


class JudgeComparison(_Record):
    """Two sets of traces by the judges that scored both."""

    schema_version: Literal[1] = COMPARISON_SCHEMA_VERSION
    store: str
    a: str
    """What was chosen, as it was written."""
    b: str
    made_at: datetime
    matched_by: str
    """What makes an item of A and one of B a pair."""
    measures: tuple[Measure, ...]
    verdict: Verdict
    """REGRESSED if any measure is, else INCONCLUSIVE if any is, else PASS."""
    mock: bool
    warnings: tuple[str, ...] = ()
