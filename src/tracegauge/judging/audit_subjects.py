"""What a judge is audited on: the examples of its calibration set, or traces of a store."""

from collections.abc import Iterable

from mlflow.entities import Trace

from tracegauge.config.errors import ConfigError
from tracegauge.judging.auditing import Subject
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import read_examples
from tracegauge.judging.judge import Judge
from tracegauge.judging.scale import NotOnScaleError, scale_of
from tracegauge.results.judgement import Value

_SESSION = "mlflow.trace.session"


def subjects_of_examples(judge: Judge, limit: int) -> list[Subject]:
    """The first examples of the judge's calibration set, with their labels. Raises ConfigError if it names none."""
    dataset = judge.spec.calibration.dataset
    if dataset is None:
        raise ConfigError(
            f"judge {judge.name!r} names no calibration set",
            hint="add `calibration: {dataset: FILE}` to its file, or audit it on traces: --store, --experiment",
        )
    return [
        Subject(example.item, judge.content(traces_of(example)), _label(judge, example.label))
        for example in read_examples(dataset)[:limit]
    ]


def subjects_of_traces(judge: Judge, traces: Iterable[Trace], limit: int) -> list[Subject]:
    """The first traces, or the first conversations for a judge of those. Traces without a session are none."""
    if judge.scope == "trace":
        return [
            Subject(trace.info.trace_id, judge.content([trace])) for trace, _ in zip(traces, range(limit), strict=False)
        ]
    sessions: dict[str, list[Trace]] = {}
    for trace in traces:
        session = trace.info.trace_metadata.get(_SESSION)
        if session:
            sessions.setdefault(session, []).append(trace)
    return [Subject(name, judge.content(turns)) for name, turns in list(sessions.items())[:limit]]


def _label(judge: Judge, label: Value) -> Value | None:
    if judge.spec.value.type == "text":
        return None
    try:
        return scale_of(judge.spec).parse(label)
    except NotOnScaleError as error:
        raise ConfigError(f"a label of the calibration set: {error}", judge.spec.calibration.dataset) from None
