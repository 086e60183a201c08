"""What judges said of a selection of traces: one side of a comparison."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlflow.entities import Feedback, Trace

from tracegauge.judging.assessment_keys import CONTENT_DIGEST, MOCK
from tracegauge.judging.trace_reading import digest_in, feedback_of, given_by_judge
from tracegauge.results.judgement import Value

INPUTS = "inputs"
"""Traces match if their inputs are equal."""


@dataclass(frozen=True)
class Said:
    """One verdict of a judge on a trace."""

    trace_id: str
    key: str | None
    """What makes it a pair with a trace of the other side; None for a trace without it."""
    value: Value
    content_digest: str | None
    mock: bool


@dataclass
class Side:
    """The verdicts on a selection of traces, by judge and digest."""

    traces: int = 0
    said: dict[tuple[str, str | None], list[Said]] = field(default_factory=dict)

    def judges(self) -> set[tuple[str, str | None]]:
        """Names and digests of the judges that scored something."""
        return set(self.said)


def read_side(traces: Iterable[Trace], match: str) -> Side:
    """Gather verdicts, in the order of the traces. `match` is `inputs` or the name of a tag."""
    side = Side()
    for trace in traces:
        side.traces += 1
        key = _inputs_digest(trace) if match == INPUTS else trace.info.tags.get(match)
        for one in feedback_of(trace):
            if given_by_judge(one) and one.error is None and isinstance(one.value, bool | int | float | str):
                verdicts = side.said.setdefault((one.name, digest_in(one)), [])
                verdicts.append(_said(one, trace.info.trace_id, key))
    return side


def paired(a: Iterable[Said], b: Iterable[Said]) -> list[tuple[Said, Said]]:
    """Verdicts on traces with the same key; of several with one key the first with the first, and so on."""
    waiting: dict[str, list[Said]] = {}
    for one in b:
        if one.key is not None:
            waiting.setdefault(one.key, []).append(one)
    pairs = []
    taken: Counter[str] = Counter()
    for one in a:
        if one.key is not None and taken[one.key] < len(waiting.get(one.key, ())):
            pairs.append((one, waiting[one.key][taken[one.key]]))
            taken[one.key] += 1
    return pairs


def _said(feedback: Feedback, trace_id: str, key: str | None) -> Said:
    metadata: Mapping[str, str] = feedback.metadata or {}
    return Said(trace_id, key, feedback.value, metadata.get(CONTENT_DIGEST), metadata.get(MOCK) == "true")


def _inputs_digest(trace: Trace) -> str | None:
    root = next((span for span in trace.data.spans if span.parent_id is None), None)
    if root is None or root.inputs is None:
        return None
    text = json.dumps(root.inputs, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
