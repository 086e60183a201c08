"""`tracegauge judge calibrate`: hold judges against labels of people, or against their own calibration sets."""

from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.lint import DEFAULT_FILES, Files
from tracegauge.cli.judge.options import Experiments, Store
from tracegauge.config.errors import ConfigError, nearest

if TYPE_CHECKING:
    from tracegauge.config.judge import JudgeSpec
    from tracegauge.judging.evidence import Evidence

BELOW_MINIMUM = 1


class Naming(StrEnum):
    """What A and B in pairwise verdicts are."""

    ANSWERS = "answers"
    POSITIONS = "positions"


class Labels(StrEnum):
    """Who gave the labels of a file."""

    HUMAN = "human"
    SYNTHETIC = "synthetic"


Out = Annotated[Path, typer.Option("--out", help="Folder that records are kept in; put it under version control.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the record as JSON, and nothing else.")]


def calibrate(
    files: Files = None,
    verdicts_file: Annotated[
        str | None,
        typer.Option(
            "--from", help="CSV or JSONL file of verdicts: item, judge, value, order, label. No model is asked."
        ),
    ] = None,
    labels_file: Annotated[
        str | None, typer.Option("--labels", help="CSV or JSONL file of labels: item (or trace id), label, annotator.")
    ] = None,
    store: Store = None,
    experiment: Experiments = None,
    human_name: Annotated[
        str | None, typer.Option("--human-name", help="Name of people's feedback.", show_default="the judge's name")
    ] = None,
    positive: Annotated[
        str | None, typer.Option("--positive", help="The good value, for verdicts without a judge file.")
    ] = None,
    verdicts_name: Annotated[
        Naming, typer.Option("--verdicts-name", help="What A and B are in pairwise verdicts.")
    ] = Naming.ANSWERS,
    labels_are: Annotated[Labels, typer.Option("--labels-are", help="Who gave the labels of --from.")] = Labels.HUMAN,
    out: Out = Path("calibrations"),
    as_json: AsJson = False,
) -> int:
    """Hold judges against labels: how far they agree, and how sure that is.

    Labels and verdicts come from a file (--from), or from a store (people's feedback, or --labels). Else each judge is
    asked about the calibration set that its file names.

    Examples: tracegauge judge calibrate judges/answer_relevance.yaml

    tracegauge judge calibrate --from verdicts.csv --positive good
    """
    from tracegauge.config.judge import load_judges
    from tracegauge.judging.calibrating import calibrate as calibration
    from tracegauge.judging.judge_records import keep

    if verdicts_file:
        specs = load_judges(files) if files else {}
        evidence = _of_files(verdicts_file, labels_file, specs, positive, verdicts_name, labels_are)
    else:
        specs = load_judges(files or DEFAULT_FILES)
        if store or experiment or labels_file:
            evidence = _of_store(specs, store, experiment or [], labels_file, human_name)
        else:
            evidence = _of_examples(specs)
    records = [calibration(one) for one in evidence]
    kept = [keep(record, out) for record in records]
    _print(records, kept, as_json)
    return 0 if all(record.minimum_met for record in records) else BELOW_MINIMUM


def _of_files(
    verdicts: str, labels: str | None, specs: "dict[str, JudgeSpec]", positive: str | None, naming: Naming, by: Labels
) -> "list[Evidence]":
    from tracegauge.judging.file_evidence import evidence_from_files
    from tracegauge.judging.label_file import read_label_file

    found = evidence_from_files(
        read_label_file(verdicts),
        read_label_file(labels) if labels else None,
        specs,
        positive=positive,
        naming=naming.value,
        label_source=by.value,
    )
    names = [one.judge for one in found]
    absent = [name for name in specs if name not in names]
    if absent:
        raise ConfigError(f"{verdicts} has no verdicts of judge {absent[0]!r}", hint=nearest(absent[0], names))
    return found


def _of_store(
    specs: "dict[str, JudgeSpec]", store: str | None, experiments: list[str], labels: str | None, human_name: str | None
) -> "list[Evidence]":
    from tracegauge.judging.label_file import read_label_file
    from tracegauge.judging.store_evidence import evidence_from_store
    from tracegauge.judging.trace_reading import TraceReader

    reader = TraceReader(store)
    read = read_label_file(labels) if labels else None
    traces = list(reader.read(experiments))
    return [evidence_from_store(spec, traces, reader.uri, read, human_name) for spec in specs.values()]


def _of_examples(specs: "dict[str, JudgeSpec]") -> "list[Evidence]":
    import asyncio

    from rich.console import Console

    from tracegauge.cli.progress import progress_bar
    from tracegauge.judging.example_evidence import evidence_from_examples
    from tracegauge.judging.examples import read_examples

    with_set = [spec for spec in specs.values() if spec.calibration.dataset]
    if not with_set:
        raise ConfigError(
            "none of these judges names a calibration set",
            hint="add `calibration: {dataset: FILE}` to the judge's file, or name labels: --from, --labels, --store",
        )
    found = []
    with progress_bar(Console(stderr=True), "asking") as tell:
        for spec in with_set:
            asked, total = count(1), len(read_examples(str(spec.calibration.dataset)))
            what = f"asking {spec.name} about {spec.calibration.dataset}"

            def on_done(asked: "count[int]" = asked, total: int = total, what: str = what) -> None:
                tell(next(asked), total, what)

            found.append(asyncio.run(evidence_from_examples(spec, specs, on_done=on_done)))
    return found


def _print(records: list, kept: list[Path], as_json: bool) -> None:  # type: ignore[type-arg]
    import json

    from rich.console import Console

    from tracegauge.cli.judge.calibration_view import calibration_view

    if as_json:
        typer.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for record, file in zip(records, kept, strict=True):
        console.print(calibration_view(record))
        console.print(f"kept: {file}\n", soft_wrap=True, markup=False)
