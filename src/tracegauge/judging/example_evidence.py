"""Evidence from a judge's own calibration set: the judge is asked about each example."""

from collections import Counter
from collections.abc import Callable, Mapping

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.asking import CONCURRENCY, any_mock, ask, ready
from tracegauge.judging.evidence import ONLY_ORDER, Evidence
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example, read_examples
from tracegauge.judging.scale import NotOnScaleError, Scale, scale_of
from tracegauge.results.judgement import Failed, Scored, Value


async def evidence_from_examples(
    spec: JudgeSpec,
    judges: Mapping[str, JudgeSpec],
    concurrency: int = CONCURRENCY,
    on_done: Callable[[], None] | None = None,
) -> Evidence:
    """Ask the judge about the examples of its `calibration.dataset`.

    Raises ConfigError for a set that can't be read, labels that are not of the judge's type, and a judge that can't
    work.
    """
    assert spec.calibration.dataset
    scale = scale_of(spec)
    examples = read_examples(spec.calibration.dataset)
    labels: dict[str, dict[str, Value]] = {
        example.item: {example.source: _label(example, scale, spec)} for example in examples
    }
    async with ready(spec, judges) as judge:
        contents = [judge.content(traces_of(example)) for example in examples]
        judgements = await ask(judge, contents, concurrency, on_done)
    said = {example.item: judgement for example, judgement in zip(examples, judgements, strict=True)}
    failures = Counter(one.kind for one in judgements if isinstance(one, Failed))
    first = next((one.message for one in judgements if isinstance(one, Failed)), "")
    if sum(failures.values()) == len(judgements):
        raise ConfigError(f"judge {spec.name!r} failed on every example: {first}", spec.calibration.dataset)
    described = ", ".join(f"{count} {kind}" for kind, count in failures.most_common())
    return Evidence(
        judge=spec.name,
        digest=spec.digest,
        scale=scale,
        labels=labels,
        verdicts={item: {ONLY_ORDER: one.value if isinstance(one, Scored) else None} for item, one in said.items()},
        labels_from=spec.calibration.dataset,
        verdicts_from=f"{spec.name}, asked about each example",
        label_source="synthetic" if any(one.source == "synthetic" for one in examples) else "human",
        mock=any_mock(judgements),
        minimum_kappa=spec.calibration.minimum_kappa,
        warnings=(f"failed judgements: {described}; the first: {first}",) if failures else (),
    )


def _label(example: Example, scale: Scale, spec: JudgeSpec) -> Value:
    try:
        return scale.parse(example.label)
    except NotOnScaleError as error:
        raise ConfigError(f"the label of {example.item!r}: {error}", spec.calibration.dataset) from None
