"""Evidence from a store: the judge's assessments, and those of people beside them or labels in a file."""

from collections.abc import Iterable

from mlflow.entities import Feedback, Trace

from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.assessment_keys import MOCK
from tracegauge.judging.evidence import ONLY_ORDER, Evidence
from tracegauge.judging.file_evidence import labels_by_item, refuse_unknown_items
from tracegauge.judging.label_file import LabelFile
from tracegauge.judging.scale import NotOnScaleError, Scale, scale_of
from tracegauge.judging.trace_reading import digest_in, feedback_of, given_by_judge, given_by_person
from tracegauge.results.judgement import Value


def evidence_from_store(
    spec: JudgeSpec,
    traces: Iterable[Trace],
    store: str,
    labels: LabelFile | None = None,
    human_name: str | None = None,
) -> Evidence:
    """Evidence of one judge: its assessments by the digest of its file, and people's feedback of the same name.

    Without a label file, labels are feedback with source HUMAN named `human_name`, or like the judge. One that is not
    of the judge's type is left out, and said in the warnings. Raises ConfigError with file and line for labels in a
    file that are not of the judge's type, or are of traces that the store doesn't have.
    """
    scale = scale_of(spec)
    wanted = human_name or spec.name
    verdicts: dict[str, dict[str, Value | None]] = {}
    people: dict[str, dict[str, Value]] = {}
    known: set[str] = set()
    odd: list[str] = []
    others = mocks = 0
    for trace in traces:
        item = trace.info.trace_id
        known.add(item)
        for one in feedback_of(trace):
            if given_by_person(one) and one.name == wanted:
                _note_label(one, item, scale, people, odd)
            elif given_by_judge(one) and one.name == spec.name:
                if digest_in(one) == spec.digest:
                    verdicts[item] = {ONLY_ORDER: _verdict(one, scale)}
                    mocks += (one.metadata or {}).get(MOCK) == "true"
                else:
                    others += 1
    if labels is not None:
        refuse_unknown_items(labels, known, f"there is no trace {{!r}} in {store}")
        given = labels_by_item(labels, labels.rows, scale)
    else:
        given = people
    warnings = []
    if odd:
        warnings.append(f"{len(odd)} labels are not of the judge's type and are left out, first {odd[0]}")
    if others:
        warnings.append(f"{others} assessments named {spec.name} are of other versions of it, or of others; left out")
    return Evidence(
        judge=spec.name,
        digest=spec.digest,
        scale=scale,
        labels=given,
        verdicts=verdicts,
        labels_from=str(labels.path) if labels else f"feedback of people named {wanted} in {store}",
        verdicts_from=f"assessments by digest {spec.digest} in {store} (made by `tracegauge judge run`)",
        label_source="human",
        mock=bool(mocks),
        minimum_kappa=spec.calibration.minimum_kappa,
        warnings=tuple(warnings),
    )


def _note_label(
    feedback: Feedback, item: str, scale: Scale, people: dict[str, dict[str, Value]], odd: list[str]
) -> None:
    if feedback.value is None or isinstance(feedback.value, dict | list):
        odd.append(f"{feedback.value!r} on {item}")
        return
    try:
        value = scale.parse(feedback.value)
    except NotOnScaleError as error:
        odd.append(f"{error} on {item}")
    else:
        people.setdefault(item, {})[str(feedback.source.source_id)] = value


def _verdict(feedback: Feedback, scale: Scale) -> Value | None:
    if feedback.error is not None or feedback.value is None:
        return None
    try:
        return scale.parse(feedback.value)
    except NotOnScaleError:
        return None
