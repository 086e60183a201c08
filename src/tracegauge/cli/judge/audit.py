"""`tracegauge judge audit`: hold judges against themselves."""

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracegauge.cli.judge.calibrate import AsJson, Out
from tracegauge.cli.judge.lint import DEFAULT_FILES, Files
from tracegauge.cli.judge.options import Experiments, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracegauge.config.judge import JudgeSpec
    from tracegauge.results.judge_card import JudgeCard


def audit(
    files: Files = None,
    repeats: Annotated[int, typer.Option(min=2, help="How often each content is judged unchanged.")] = 3,
    limit: Annotated[int, typer.Option(min=1, help="Contents at most.")] = 50,
    store: Store = None,
    experiment: Experiments = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at once.")] = 8,
    out: Out = Path("calibrations"),
    as_json: AsJson = False,
) -> None:
    """Ask judges the same again, and with changes that should not matter: repeats, swapped answers, format, padding.

    The contents are those of the judge's calibration set, or traces of a store. Every judgement is made anew and paid
    for: contents × (repeats + 2). The result is a judge card, kept with the judge's digest.

    Example: tracegauge judge audit judges/answer_relevance.yaml --repeats 5
    """
    import asyncio

    from rich.console import Console

    from tracegauge.cli.judge.card_view import card_view
    from tracegauge.cli.progress import progress_bar
    from tracegauge.config.judge import load_judges
    from tracegauge.judging.judge_records import keep

    specs = load_judges(files or DEFAULT_FILES)
    cards = []
    with progress_bar(Console(stderr=True), "asking") as tell:
        for spec in specs.values():

            def on_done(done: int, total: int, name: str = spec.name) -> None:
                tell(done, total, f"asking {name}")

            of_spec = _audit(spec, specs, store, experiment or [], repeats, limit, concurrency, on_done)
            cards.append(asyncio.run(of_spec))
    kept = [keep(card, out) for card in cards]
    if as_json:
        typer.echo(json.dumps([card.model_dump(mode="json") for card in cards], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for card, file in zip(cards, kept, strict=True):
        console.print(card_view(card))
        console.print(f"kept: {file}\n", soft_wrap=True, markup=False)


async def _audit(
    spec: "JudgeSpec",
    judges: "dict[str, JudgeSpec]",
    store: str | None,
    experiments: list[str],
    repeats: int,
    limit: int,
    concurrency: int,
    on_progress: "Callable[[int, int], None]",
) -> "JudgeCard":
    from tracegauge.judging.asking import ready
    from tracegauge.judging.audit_subjects import subjects_of_examples, subjects_of_traces
    from tracegauge.judging.auditing import audit as audited
    from tracegauge.judging.perturbing import changes_for

    async with ready(spec, judges) as judge:
        if store or experiments:
            from tracegauge.judging.trace_reading import TraceReader

            reader = TraceReader(store)
            subjects = subjects_of_traces(judge, reader.read(experiments, with_spans=True), limit)
            contents_from = f"traces in {reader.uri}"
        else:
            subjects = subjects_of_examples(judge, limit)
            contents_from = str(spec.calibration.dataset)
        asked = count(1)
        total = len(subjects) * (repeats + len(changes_for(spec)))
        return await audited(
            judge, subjects, contents_from, repeats, concurrency, lambda: on_progress(next(asked), total)
        )
